"""Rules about rounds: which updates count, and what an aggregated result is worth (``AGG``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["AGGREGATION_RULES"]

_SEND_AGAIN = "have the contributor sign the update anew with `provenance contribute`"

AGGREGATION_RULES = (
    Rule(
        id="AGG001",
        title="nobody signed this update",
        explanation="The file's digest stands in no contribution that could be found: it was never signed, or it was "
        "changed afterwards. It does not count.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG002",
        title="the update is not signed by a contributor of the roster",
        explanation="The signature fits no key of any contributor in the roster. It does not count.",
        hint="add the contributor with `provenance roster add`, if the key is known to be theirs",
    ),
    Rule(
        id="AGG003",
        title="the update claims another contributor",
        explanation="The key belongs to one contributor of the roster and the statement names another.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG004",
        title="the contributor was not entitled to contribute",
        explanation="The roster says that the contributor's key was revoked, has expired or was not valid yet, or that "
        "the contributor has no voting right.",
        hint="ask the roster's maintainers",
    ),
    Rule(
        id="AGG005",
        title="the update is for another round",
        explanation="The signed statement names another task or round, so the update was replayed or came late.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG006",
        title="the update is for another base model",
        explanation="The signed statement names another base model than this round's.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG007",
        title="the contributor signed two different updates for one round",
        explanation="Two valid signatures of one contributor over different updates for the same round prove "
        "equivocation. Both are dropped, and the pair of statements is kept as evidence.",
        hint="show the two statements to the roster's maintainers",
    ),
    Rule(
        id="AGG008",
        title="the update's tensors are not the base model's",
        explanation="Names, shapes and dtypes of all tensors must be those of the base model.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG009",
        title="the update holds a value that is no number",
        explanation="A NaN or an infinity would spread to the result, or to the distances that decide it.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG010",
        title="the update's norm is too large",
        explanation="The Euclidean norm cannot be held by the update's own dtype, or is above the bound that was set.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG011",
        title="the update cannot be read",
        explanation="The file is no sound safetensors file, or could not be read.",
        hint=_SEND_AGAIN,
    ),
    Rule(
        id="AGG012",
        title="the signed update is not in the folder",
        explanation="A valid contribution for this round speaks of a file that is not there.",
        hint="fetch the file that the contribution speaks of",
    ),
    Rule(
        id="AGG013",
        title="the rule's conditions do not hold for the verified updates",
        explanation="The rule's guarantee needs more updates than were verified, for as many faulty ones as are to be "
        "tolerated, or it takes everybody's vote for equal and the roster does not. Nothing is aggregated: a weaker "
        "rule is never taken silently.",
        hint="wait for more updates, tolerate fewer faulty ones, or name another rule; --explain lists them",
    ),
    Rule(
        id="AGG014",
        title="it cannot be told which round or base model is meant",
        outcome="undecided",
        explanation="The base model was not given and not found by its digest, or the contributors do not agree, by "
        "more than half, on the round or on the base model.",
        hint="name the round with --round and the base model with --base",
    ),
    Rule(
        id="AGG015",
        title="an update changed while it was aggregated",
        explanation="A later read of the same open file gave other bytes than the ones that were verified.",
        hint="run the round again over files that nobody writes to",
    ),
    Rule(
        id="AGG016",
        title="the result is not what the updates give",
        explanation="Recomputing the round from the updates that its statement names gives other bytes. Whoever signed "
        "the result did not compute it from these updates by this rule.",
        hint="do not use the result; show the statement and the difference to the contributors",
    ),
    Rule(
        id="AGG017",
        title="a valid update was left out",
        explanation="The folder holds a verified update for this round that the statement neither accepts nor rejects "
        "for a reason that holds.",
        hint="ask who ran the round why the update was left out",
    ),
    Rule(
        id="AGG018",
        title="an update of the round is not there",
        outcome="undecided",
        explanation="The statement names an update that could not be found, so the round cannot be recomputed.",
        hint="fetch the update; its digest is in the note",
    ),
    Rule(
        id="AGG019",
        title="there is no statement of the round that can be trusted",
        outcome="undecided",
        explanation="No statement about this result was found, or none by a key that is accepted.",
        hint="name the key of whoever ran the round with --key, and the statement's folder with --store",
    ),
    Rule(
        id="AGG020",
        title="the round used an update that does not count",
        explanation="The statement names an update as accepted that fails a check: it is not signed by a valid "
        "contributor for this round, or its values cannot be used.",
        hint="do not use the result",
    ),
    Rule(
        id="AGG021",
        title="the roster vouches for itself",
        severity="warning",
        explanation="No key was named whose signature of the roster counts. The signatures of the maintainers whom the "
        "roster itself names were taken: they show that it was not changed, and not whose it is.",
        hint="name the maintainers' keys with --roster-key",
    ),
    Rule(
        id="AGG022",
        title="a contributor's coefficient is not what the updates give",
        explanation="The statement tells of each update how much of the result it is: its factor in a weighted sum, or "
        "its mean weight over the columns. Recomputing the round gives other numbers.",
        hint="do not go by the statement; ask whoever signed it",
    ),
)
