"""Policy files: TOML, every key optional, anything unknown or contradictory an error with its line."""

from __future__ import annotations

from policies.errors import PolicyError
from policies.policy import Policy

__all__ = ["parse_policy"]


def parse_policy(text: str, *, name: str, base: str) -> Policy:
    """Read a policy file's text (at most 1 MiB of TOML); raises PolicyError with the line of the first fault.

    ``name`` becomes the policy's name and stands in messages. Paths of keys, certificates and rosters are taken
    from the directory ``base``; nothing is opened. A key that is absent has the value of the built-in ``strict``;
    where ``[signatures] accept`` is absent, every signer that the file names is accepted.
    """
    # Built-in policies and signers given on the spot need no parser, and they are the usual case.
    from policies.document.fault import Fault
    from policies.document.toml_lines import line_of
    from policies.document.toml_text import read_toml
    from policies.policy_document import policy_from

    try:
        return policy_from(read_toml(text), name, base)
    except Fault as fault:
        line = line_of(text, fault.path)
        raise PolicyError(fault.message, line=line, hint=fault.hint, name=name) from None
    except PolicyError as error:
        error.name = name
        raise
