"""Rules about what happens while a program runs under the guard (``GRD``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["GUARD_RULES"]

GUARD_RULES = (
    Rule(
        id="GRD001",
        title="code that acts while a file is loaded",
        explanation="Loading tensors, arrays or allowed objects starts no process, compiles nothing, opens no "
        "connection and writes no file. Something in the file got past the names that are checked, and was stopped "
        "where it began to act.",
        hint="do not load the file",
    ),
    Rule(
        id="GRD002",
        title="a module that is not the one the allowlist means",
        explanation="The name is allowed, but the module of that name does not lie where the standard library or "
        "packages are installed: a file in the working directory, or beside the model, stands in its way.",
        hint="remove the file that has the name of a package; a package of your own belongs in allow_globals",
    ),
    Rule(
        id="GRD003",
        title="a persistent object that can be called",
        explanation="The program's persistent_load gave the pickle a function or a class, which the pickle may call "
        "with arguments of its own.",
        hint="have persistent_load return data only",
    ),
    Rule(
        id="GRD004",
        title="a command in which nothing was guarded",
        outcome="undecided",
        explanation="No Python process of the command armed the guard: it starts none, or starts Python with -I, -E or "
        "-S or without its environment. Nothing can be said of what it loaded.",
        hint="run a command that starts a Python that has ml-provenance installed, without -I, -E and -S",
    ),
    Rule(
        id="GRD005",
        title="a process or interpreter out of the guard's reach",
        outcome="undecided",
        explanation="A Python process is started with options or an environment in which the guard is not armed, or a "
        "second interpreter is made inside of this process, where no hook of this one is.",
        hint="start it with the environment that the program has, and without -I, -E and -S",
    ),
    Rule(
        id="GRD006",
        title="the guard cannot be armed",
        outcome="undecided",
        explanation="An audit hook that was installed earlier can keep later ones out without a sound. The guard sends "
        "itself an event to see whether it is there, and it did not arrive.",
        hint="find out which program or sitecustomize installs an audit hook, and arm the guard before it",
    ),
    Rule(
        id="GRD007",
        title="bytes in memory that bear no signature",
        outcome="undecided",
        explanation="The policy asks for a signature, and what is loaded are bytes or a stream without a file, beside "
        "which a signature could lie.",
        hint="load it from its file, or with provenance.load",
    ),
    Rule(
        id="GRD008",
        title="a report that is not whole",
        severity="warning",
        outcome="undecided",
        explanation="The program loaded more than the report keeps, or a process ended while it wrote its part. Every "
        "refusal that was raised was raised nevertheless.",
        hint="see the exceptions of the program itself",
    ),
    Rule(
        id="GRD009",
        title="a file of another format than its loader reads",
        explanation="The content was judged as what it is, and the loader would read it as something else: a text that "
        "is harmless as text is a program to a loader that unpickles it.",
        hint="load the file with the loader of its format; do not load it where it should be of this one",
    ),
)
