"""Rules about contributors, rosters and the records that somebody signed (``CON``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["CONTRIBUTOR_RULES"]

CONTRIBUTOR_RULES = (
    Rule(
        id="CON001",
        title="the roster is not signed",
        outcome="undecided",
        explanation="A roster says who may contribute, so it counts only where its maintainers signed it. No "
        "signature lies beside this one, or nobody is named whose signature would count.",
        hint="sign it with `provenance roster sign ROSTER --key KEY`, and name the maintainers with --roster-key",
    ),
    Rule(
        id="CON002",
        title="too few accepted maintainers signed the roster",
        explanation="Signatures over these very bytes are counted, one for each maintainer's key that was named "
        "with --roster-key. There must be as many as the roster asks for, as many as the last version that was "
        "seen asked for, and as many as the command asks for.",
        hint="name more of the maintainers with --roster-key, or have them sign with `provenance roster sign`",
    ),
    Rule(
        id="CON003",
        title="the roster is older than one that was seen before",
        explanation="A newer version, signed by the same maintainer, was seen on this machine. Whoever shows an "
        "older one may want to bring back a contributor that has been revoked since.",
        hint="fetch the newest roster from its maintainers",
    ),
    Rule(
        id="CON004",
        title="two different rosters have the same version",
        explanation="A maintainer signed two different texts under one version number. Different people may be "
        "shown different rosters.",
        hint="ask the maintainers which one is right; they raise the version with every change",
    ),
    Rule(
        id="CON005",
        title="the roster is malformed",
        explanation="The roster is not TOML, has keys that are not known, names a contributor or a key twice, or "
        "contradicts itself.",
        hint="change rosters with `provenance roster add` and `provenance roster revoke`, then sign them",
    ),
    Rule(
        id="CON006",
        title="the roster cannot be read",
        outcome="undecided",
        explanation="The roster is not there, or could not be opened or read to its end.",
        hint="name the roster with --roster; check the permissions of the file",
    ),
    Rule(
        id="CON007",
        title="it is not known which version of the roster was seen last",
        outcome="undecided",
        explanation="The newest version seen of each roster is remembered under $XDG_STATE_HOME/provenance. The "
        "file there cannot be read, so that an older roster would not show.",
        hint="mend the permissions of the file, or remove it if you know that this roster is the newest",
    ),
    Rule(
        id="CON008",
        title="the version of the roster could not be remembered",
        severity="warning",
        explanation="The newest version seen of each roster is remembered under $XDG_STATE_HOME/provenance, which "
        "could not be written. An older roster shown later would go unnoticed.",
        hint="let XDG_STATE_HOME name a directory that can be written and that is kept",
    ),
    Rule(
        id="CON009",
        title="the signer is no contributor of the roster",
        explanation="The statement is signed with a key, or by an identity, that the roster does not list.",
        hint="have a maintainer add the contributor with `provenance roster add`",
    ),
    Rule(
        id="CON010",
        title="the contribution names another contributor than the one who signed it",
        explanation="The key belongs to one contributor of the roster, and the statement claims to be by another.",
        hint="refuse the contribution, and ask the contributor whose key it is",
    ),
    Rule(
        id="CON011",
        title="the contributor is revoked",
        explanation="The roster revokes the contributor or the key. What a trusted time (a log or a timestamp) "
        "places before the revocation stands; without one it taints all that the key ever signed, whatever date a "
        "statement claims.",
        hint="leave the contribution out; `provenance lineage impact` shows what holds it",
    ),
    Rule(
        id="CON012",
        title="the contributor's validity has ended",
        explanation="The roster lists the contributor until a day that has passed, and no trusted time shows that "
        "the contribution was signed before.",
        hint="have a maintainer extend the validity, or have contributions timestamped",
    ),
    Rule(
        id="CON013",
        title="the contributor is not valid yet",
        explanation="The roster lists the contributor from a later day on than that of the contribution.",
        hint="have a maintainer change the validity",
    ),
    Rule(
        id="CON014",
        title="the records are not those that were signed",
        explanation="The Merkle root over the records differs from the signed one: a record was edited, moved, "
        "added or removed since.",
        hint="fetch the records again from the contributor",
    ),
    Rule(
        id="CON015",
        title="the number of records is not the signed one",
        explanation="Records were added or removed since the contributor signed the batch.",
        hint="fetch the records again from the contributor",
    ),
    Rule(
        id="CON016",
        title="a record breaks the rule by which records become leaves",
        explanation="The file cannot be cut into records without doubt: a line ends in CRLF, a quote stays open, a "
        "record is larger than 64 MiB, or the format is another one.",
        hint="write the file anew as the message says, and sign it again",
    ),
    Rule(
        id="CON017",
        title="the header or the schema is not the signed one",
        explanation="The header of a CSV file or the schema of a Parquet file says what the columns mean, so it is "
        "signed with the records. This file has another one.",
        hint="fetch the records again from the contributor",
    ),
    Rule(
        id="CON018",
        title="the proof of a record is wrong",
        explanation="The record and the hashes of the proof do not lead to the signed Merkle root.",
        hint="have the proof made again from the batch",
    ),
    Rule(
        id="CON019",
        title="the records are bound by a rule that this version does not know",
        outcome="undecided",
        explanation="The contribution names a leaf rule or a tree algorithm of a later version.",
        hint="upgrade provenance",
    ),
    Rule(
        id="CON020",
        title="the salts of the records are missing",
        outcome="undecided",
        explanation="The contributor signed salted records, and kept the salts. Without them the records cannot "
        "be held against the signed root.",
        hint="ask the contributor for the salts and name them with --salts",
    ),
    Rule(
        id="CON021",
        title="the roster has expired",
        explanation="The roster names a moment after which it counts no more. Whoever can keep newer versions away, "
        "and with them the newest revocations, could else show an old one for ever.",
        hint="fetch the newest roster from its maintainers; they renew it with `provenance roster sign --expires DATE`",
    ),
)
