"""Rules about the files of an artifact and their names (``ART``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["ARTIFACT_RULES"]

ARTIFACT_RULES = (
    Rule(
        id="ART001",
        title="a symbolic link",
        explanation="A link can be pointed elsewhere after the check. Links are refused unless they were allowed when "
        "the artifact was signed and stay inside it.",
        hint="replace the link by the file it points to",
    ),
    Rule(
        id="ART002",
        title="a device, socket or pipe",
        explanation="Only regular files and directories can be signed; reading anything else has effects.",
        hint="remove it",
    ),
    Rule(
        id="ART003",
        title="a file name that is not UTF-8",
        explanation="A manifest is JSON and cannot hold such a name without loss.",
        hint="rename the file",
    ),
    Rule(
        id="ART004",
        title="a name that leaves the artifact",
        explanation="A name in a manifest is relative, without .., backslash, drive letter or NUL.",
        hint="do not use this bundle",
    ),
    Rule(
        id="ART005",
        title="a name that occurs twice",
        explanation="A manifest lists each file (or each range of it) once.",
        hint="do not use this bundle",
    ),
    Rule(
        id="ART006",
        title="names that some file systems take for one",
        severity="warning",
        explanation="Two names are equal once letter case is folded or Unicode is normalised: where a file system "
        "does so, one file hides the other.",
        hint="rename one of them",
    ),
    Rule(
        id="ART007",
        title="the artifact is empty",
        explanation="There is no file to sign or to verify once the excluded paths are left out.",
        hint="check the path",
    ),
    Rule(
        id="ART008",
        title="a file cannot be read",
        outcome="undecided",
        explanation="The file is there but could not be opened or read to its end, so nothing can be said of it.",
        hint="check the permissions of the file and the disk",
    ),
    Rule(
        id="ART009",
        title="a file changed while it was read",
        outcome="undecided",
        explanation="Size or modification time were others at the end than at the start: somebody is writing to it.",
        hint="wait until nobody writes to the artifact, or copy it first",
    ),
    Rule(
        id="ART010",
        title="the artifact cannot be found",
        outcome="undecided",
        explanation="There is nothing at this path.",
        hint="check the path",
    ),
)
