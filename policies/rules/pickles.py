"""Rules about pickles (``PKL``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["PICKLE_RULES"]

PICKLE_RULES = (
    Rule(
        id="PKL001",
        title="a pickle",
        explanation="A pickle is a program: loading it can run anything. The policy accepts none.",
        hint="take the tensors out with `provenance convert`, which runs nothing, or allow harmless pickles with "
        '`[formats] pickle = "allowlist"`',
    ),
    Rule(
        id="PKL002",
        title="a pickle that can run code",
        explanation="The pickle imports or calls something that is not on the allowlist. What a policy would have to "
        "allow is printed by `provenance scan --minimal-allowlist`.",
        hint="do not load the file; `provenance convert --partial` takes its tensors out and runs nothing",
    ),
    Rule(
        id="PKL003",
        title="a pickle that cannot be read to its end",
        outcome="undecided",
        explanation="The pickle is damaged, or larger or more deeply nested than the bounds of the reader.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL004",
        title="a pickle that imports by a name that is not plain",
        explanation="The name of an import is dotted, is computed by the pickle, or is no identifier: it reaches "
        "through allowed objects to others, or is made to be misread.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL005",
        title="a pickle that uses an allowed name in another way",
        explanation="The allowlist says of each name how it may be used: as a value, as a class to be instantiated, or "
        "as a function to be called with arguments of a certain form. This use is another one.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL006",
        title="a pickle that changes an object it did not make",
        explanation="State is set, or items are added, on something else than a fresh list, dict, set or instance of "
        "an allowed class: on a class, a module or a function that changes the running program.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL007",
        title="a pickle that uses extension codes",
        explanation="An extension code stands for whatever the running program registered for it, which the file does "
        "not say.",
        hint="do not load the file; save it without copyreg extensions",
    ),
    Rule(
        id="PKL008",
        title="a pickle that names persistent objects in another form than torch's",
        explanation="A persistent id is resolved by the program that loads the file. Only torch's storages, in their "
        "exact form and inside of torch's files, are known to be harmless.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL009",
        title="a pickle whose frames do not hold",
        explanation="An argument crosses the end of its frame, or frames overlap: unpicklers differ in what they read "
        "there, so a reader can be shown something else than what is run.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL010",
        title="a pickle beyond the bounds of the reader",
        outcome="undecided",
        explanation="The pickle has more opcodes, values or places in its memo than the reader follows. Loading it may "
        "exhaust the memory; nothing can be said of its rest.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL011",
        title="a pickle that takes data from outside",
        explanation="The pickle asks its loader for buffers that are not in the file.",
        hint="do not load the file",
    ),
    Rule(
        id="PKL012",
        title="bytes behind a pickle",
        severity="warning",
        explanation="A loader reads the pickle and leaves the rest alone; other readers may take the rest for another "
        "file.",
        hint="cut the file off behind the pickle",
    ),
    Rule(
        id="PKL013",
        title="a storage whose size is not what the pickle says",
        explanation="A tensor's bytes lie in a record beside the pickle. Where the sizes differ, loaders have read and "
        "written beyond them.",
        hint="do not load the file",
    ),
)
