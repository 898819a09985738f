"""``provenance policy``: list the built-in policies, show one, check a policy file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from cli.console import note, write_out
from cli.options import FILE, Command, complete_policies
from policies import BUILTIN, Finding, Policy, PolicyError, finding, parse_policy
from provenance.errors import Unreadable

__all__ = ["policy"]

MOST_BYTES = 1 << 20


@click.group()
def policy() -> None:
    """List, show and check policies.

    A policy says whose signatures count, how many there must be, and which formats may lie in an artifact.
    """


@policy.command("list", cls=Command)
def list_() -> int:
    """List the built-in policies."""
    from policies.builtin import BUILTIN_PURPOSES

    width = max(map(len, BUILTIN_PURPOSES))
    write_out("".join(f"{name:<{width}}  {purpose}\n" for name, purpose in BUILTIN_PURPOSES.items()))
    return 0


@policy.command(cls=Command)
@click.argument("policy", type=FILE, shell_complete=complete_policies)
def show(policy: str) -> int:
    """Print a policy as TOML, with every key.

    POLICY is the name of a built-in one or a policy file. The output is a policy file: a start for your own.
    """
    from policies.policy_text import policy_text

    write_out(policy_text(load(policy)))
    return 0


@policy.command(cls=Command)
@click.argument("policy", type=FILE, shell_complete=complete_policies)
def check(policy: str) -> int:
    """Check a policy file: 0 when it is sound, 1 when it is wrong or has expired, 3 when it cannot be read."""
    from cli.rendering.text import render_finding

    try:
        loaded = load(policy)
    except PolicyError as problem:
        write_out(render_finding(_wrong(policy, problem)) + f"\n{_verdict(policy, sound=False)}\n")
        return 1
    expired = _expired(policy, loaded)
    if expired:
        write_out(render_finding(expired) + f"\n{_verdict(policy, sound=False)}\n")
        return 1
    write_out("".join(f"{line}\n" for line in _summary(loaded)) + f"{_verdict(policy, sound=True)}\n")
    for path in _missing(loaded):
        note(f"{path} is named in the policy but is not there")
    return 0


def load(policy: str) -> Policy:
    """Give a built-in policy or read a file; raises PolicyError where it is wrong, Unreadable where it is absent."""
    if policy in BUILTIN:
        return BUILTIN[policy]
    try:
        with open(policy, "rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
    except OSError as problem:
        known = ", ".join(BUILTIN)
        raise Unreadable(
            f"cannot read the policy {policy}: {(problem.strerror or str(problem)).lower()}",
            hint=f"name a file, or one of {known}",
        ) from problem
    except UnicodeDecodeError as problem:
        raise PolicyError(
            "the file is not UTF-8 text", hint="is this the right file?", name=policy
        ) from problem
    return parse_policy(text, name=policy, base=os.path.dirname(os.path.abspath(policy)))


def _wrong(path: str, problem: PolicyError) -> Finding:
    where = f"line {problem.line}" if problem.line else ""
    return finding("POL005", problem.message, path=path, where=where, hint=problem.hint)


def _expired(path: str, policy: Policy) -> Finding | None:
    if policy.expires is None or datetime.now(UTC).date() <= policy.expires:
        return None
    return finding(
        "POL001", f"the policy expired on {policy.expires}: it accepts nothing any more", path=path
    )


def _verdict(path: str, *, sound: bool) -> str:
    from cli.rendering.escape import escape

    word = click.style("sound", fg="green", bold=True) if sound else click.style("wrong", fg="red", bold=True)
    return f"{word}: {escape(path)}"


def _summary(policy: Policy) -> Iterator[str]:
    """Say in a few lines what the policy asks for."""
    from cli.rendering.escape import escape

    signatures = policy.signatures
    if not signatures.required:
        yield "signatures: none are asked for"
    elif signatures.accept:
        yield escape(f"signatures: {signatures.threshold} of {', '.join(signatures.accept)}")
    else:
        yield "signatures: by a signer that is named on the spot (--key, --certificate-chain or --identity)"
    yield f"formats: {', '.join(policy.formats.allow)}"
    allowed = ", ".join([*policy.formats.profiles, *policy.formats.allow_globals])
    yield (
        "pickles: refused"
        if policy.formats.pickle == "refuse"
        else escape(f"pickles: those within {allowed}")
    )
    yield f"lineage: {policy.lineage.require}"
    yield f"expires: {policy.expires or 'never'}"


def _missing(policy: Policy) -> Iterator[str]:
    roster = (policy.contributors.roster,) if policy.contributors.roster else ()
    named = [path for signer in policy.signers for path in (*signer.keys, *signer.certificates)]
    yield from (
        path for path in (*named, *roster, *policy.contributors.roster_keys) if not os.path.exists(path)
    )
