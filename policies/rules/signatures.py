"""Rules about signatures and about what they cover (``SIG``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["SIGNATURE_RULES"]

SIGNATURE_RULES = (
    Rule(
        id="SIG001",
        title="no signature was found",
        outcome="undecided",
        explanation="No bundle lies where one is looked for: --signature, <file>.sigstore.json, model.sig in the "
        "directory, .provenance/ of the artifact's root. An unsigned artifact can be neither accepted nor refused.",
        hint="sign it with `provenance sign PATH --key KEY`, or name the bundle with --signature",
    ),
    Rule(
        id="SIG002",
        title="the signature is wrong",
        explanation="The bytes of the statement are not those that the signer signed: the bundle was changed, or the "
        "signature was made with another key.",
        hint="fetch the bundle again from the signer",
    ),
    Rule(
        id="SIG003",
        title="the file differs from the one that was signed",
        explanation="The digest of the file's bytes is not the one in the signed manifest.",
        hint="fetch the file again; if it changed on purpose, sign it anew",
    ),
    Rule(
        id="SIG004",
        title="a signed file is missing",
        explanation="The signed manifest lists a file that is not there.",
        hint="fetch the artifact again; part of it is missing",
    ),
    Rule(
        id="SIG005",
        title="a file is not covered by the signature",
        explanation="A file lies in the artifact that the signed manifest does not list. Whoever put it there, it was "
        "not the signer.",
        hint="remove the file, or sign the artifact anew; --ignore-unsigned-files tolerates it",
    ),
    Rule(
        id="SIG006",
        title="the signer is not one that is accepted",
        explanation="The signature is not by any key, certificate or identity that the policy or the command names. "
        "A key inside a bundle is a hint and never trusted.",
        hint="name the right key with --key, or add the signer to the policy",
    ),
    Rule(
        id="SIG007",
        title="too few accepted signers",
        explanation="The policy asks for signatures of several distinct signers. A signer counts once, whichever of "
        "its keys was used and however often.",
        hint="have another accepted signer add a signature with `provenance sign PATH --key KEY --add`",
    ),
    Rule(
        id="SIG008",
        title="the bundle is malformed",
        explanation="The bundle is not a Sigstore bundle v0.3 with one DSSE envelope, one signature, one kind of "
        "verification material and an in-toto statement: it is damaged, or made to confuse.",
        hint="fetch the bundle again from the signer",
    ),
    Rule(
        id="SIG009",
        title="the bundle cannot be read",
        outcome="undecided",
        explanation="The bundle is there but could not be opened or read to its end.",
        hint="check the permissions of the file and the disk",
    ),
    Rule(
        id="SIG010",
        title="the bundle is in a historical form",
        severity="warning",
        explanation="Releases of the reference tool before 1.1 signed a faulty encoding, carried whole keys, or had "
        "another predicate. Such bundles still verify.",
        hint="sign the artifact anew with a current tool",
    ),
    Rule(
        id="SIG011",
        title="the signed statement contradicts itself",
        explanation="The root digest or the dirHash of the subject is not the one of the resources that the same "
        "statement lists.",
        hint="fetch the bundle again from the signer; a signer's tool made it wrong",
    ),
    Rule(
        id="SIG012",
        title="files lie in paths that no signature covers",
        severity="warning",
        explanation="The signature leaves out some paths (.git and the like, and what the signer ignored). Files in "
        "them can change at any time without the signature noticing.",
        hint='remove them, or forbid them with `[signatures] uncovered = "refuse"` in the policy',
    ),
    Rule(
        id="SIG013",
        title="the certificate is not valid for this signature",
        explanation="The signing certificate does not chain to a trusted root, is outside its validity, or may not be "
        "used for signing.",
        hint="name the right root with --certificate-chain; see the note for what failed",
    ),
    Rule(
        id="SIG014",
        title="the chunk digests do not match the file",
        explanation="The bundle carries a digest of each 4 MiB of the file beside the digest of the whole; the bytes "
        "read do not match the chunk's.",
        hint="fetch the file again; if it changed on purpose, sign it anew",
    ),
    Rule(
        id="SIG015",
        title="the statement is not a signature of an artifact",
        explanation="The bundle holds another kind of in-toto statement than a model signature.",
        hint="name the bundle that signs the artifact with --signature",
    ),
    Rule(
        id="SIG016",
        title="the file is signed under another name",
        severity="note",
        explanation="A single file is matched by its digest, never by its name; this one was called otherwise when "
        "it was signed.",
        hint="nothing to do if you renamed it",
    ),
    Rule(
        id="SIG017",
        title="the transparency log or timestamp does not prove the signature",
        explanation="A Sigstore bundle must show an entry in a trusted log and a trusted time within the life of the "
        "certificate; this one does not.",
        hint="name the trust root of the instance that signed with --trusted-root",
    ),
    Rule(
        id="SIG018",
        title="the signature uses something that this version cannot check",
        outcome="undecided",
        explanation="The key type, curve or digest algorithm is not one that this version knows.",
        hint="upgrade provenance, or have the artifact signed with a supported key",
    ),
    Rule(
        id="SIG019",
        title="an additional signature does not count",
        severity="warning",
        explanation="Another bundle beside the artifact is damaged, is by a signer who is not accepted, or signs "
        "other bytes. It was left out of the count.",
        hint="remove the bundle, or have its signer sign anew",
    ),
)
