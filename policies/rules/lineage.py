"""Rules about what an artifact was made from (``LIN``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["LINEAGE_RULES"]

LINEAGE_RULES = (
    Rule(
        id="LIN001",
        title="the lineage is not known",
        outcome="undecided",
        explanation="It is asked what the artifact was made from. No signed statement about it, or about one of its "
        "inputs, was found, so the way to its origin ends in the dark.",
        hint="name the folder of the inputs' statements with --store, or have the producer attest the lineage",
    ),
    Rule(
        id="LIN002",
        title="the lineage is asserted but not proven",
        explanation="Somebody says what it was made from, in a statement that nobody accepted has signed or in the "
        "notes of another tool (dvc.lock, an MLflow run, a model card), and proof is asked for.",
        hint="have the producer sign the lineage with `provenance attest`, or name the signer's key with --key",
    ),
    Rule(
        id="LIN003",
        title="a statement of lineage is wrong",
        explanation="The bundle is malformed, or its signature is not by the known key that it names: it was changed "
        "after it was signed, or made to deceive.",
        hint="fetch the bundle again from its signer",
    ),
    Rule(
        id="LIN004",
        title="a statement of lineage is signed with a revoked key",
        explanation="The key was revoked, and no trusted time shows that the statement was signed before. Whatever "
        "date a statement claims, whoever has a stolen key can write it.",
        hint="have the statement signed anew with a key that is valid, if it still holds",
    ),
    Rule(
        id="LIN005",
        title="an artifact or statement of the lineage was withdrawn",
        explanation="Whoever made it, a maintainer of the roster, or a signer who is accepted took it back.",
        hint="make the artifact anew without what was withdrawn; `provenance lineage impact` lists all that holds it",
    ),
    Rule(
        id="LIN006",
        title="the lineage is deeper than was looked",
        outcome="undecided",
        explanation="There are more steps between the artifact and its origin than the policy's max_depth.",
        hint="raise `max_depth` in the policy's [lineage], or --depth",
    ),
    Rule(
        id="LIN007",
        title="the lineage runs in a circle",
        explanation="Signed statements say that the artifact was made from something that was made from itself, and "
        "nothing else says where it comes from. A circle has no origin.",
        hint="ask the signers which of the statements is right",
    ),
    Rule(
        id="LIN008",
        title="statements of the lineage disagree",
        severity="warning",
        explanation="Two signed statements name different inputs of one artifact. All of them were followed.",
        hint="ask the signers which of the statements is right",
    ),
    Rule(
        id="LIN009",
        title="a source has no licence that the policy accepts",
        explanation="The policy lists the licences of sources. The contribution names another one, or none.",
        hint="leave the source out, or add its licence to `licences` in the policy's [lineage]",
    ),
    Rule(
        id="LIN010",
        title="the statements cannot be read",
        outcome="undecided",
        explanation="A folder or file that may hold statements is not there, cannot be read, or changed meanwhile. "
        "What was not looked at might hold a withdrawal.",
        hint="check --store and the permissions",
    ),
    Rule(
        id="LIN011",
        title="a source that the policy does not accept",
        explanation="The policy lists whose word ends a lineage. This source is by nobody in `sources`.",
        hint="leave the source out, or add who vouches for it to `sources` in the policy's [lineage]",
    ),
    Rule(
        id="LIN012",
        title="a forbidden contributor",
        explanation="The policy shuts this contributor out, and something of it is in the artifact.",
        hint="make the artifact anew without it; `provenance lineage impact --contributor ID` lists all that holds it",
    ),
    Rule(
        id="LIN013",
        title="an update was made for another round",
        explanation="The aggregate says which round it is of, and the contribution of one of its inputs names another "
        "task or round: an old update was replayed.",
        hint="aggregate the updates of this round alone",
    ),
    Rule(
        id="LIN014",
        title="a gap in the lineage is waived",
        severity="note",
        explanation="The policy lets this input lack its lineage, for the reason that it gives and until the day that "
        "it names.",
        hint="close the gap before the waiver expires",
    ),
    Rule(
        id="LIN015",
        title="a waiver has expired",
        severity="warning",
        explanation="The policy let this input lack its lineage until a day that has passed.",
        hint="close the gap, or have the waiver reviewed",
    ),
    Rule(
        id="LIN016",
        title="the origin of the record is not known",
        outcome="undecided",
        explanation="The record is in no batch that somebody signed, as far as statements and their sidecars tell.",
        hint="name the folder of the batches' statements with --store; records that were made by a pipeline have none",
    ),
    Rule(
        id="LIN017",
        title="the record was edited",
        severity="warning",
        explanation="The one who curated the data says that this record was made from a record of a signed batch; it "
        "is not that record, so its contributor did not sign these bytes.",
        hint="compare it with the contributor's record, whose index in the batch is given",
    ),
    Rule(
        id="LIN018",
        title="several contributors claim the record",
        severity="warning",
        explanation="The same record is in batches of several contributors. Without trusted times nobody can tell who "
        "had it first.",
        hint="ask the contributors; a batch that repeats the records of others earns no trust",
    ),
    Rule(
        id="LIN019",
        title="the record is not where the statements say",
        explanation="The sidecar of origins or of leaves was changed, or the record is not in the batch that it names: "
        "its leaf does not lead to the signed root.",
        hint="fetch the sidecar again; a record that was removed or changed cannot be proven",
    ),
)
