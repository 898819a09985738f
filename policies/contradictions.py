"""What the parts of a policy say about each other, and about names that must exist."""

from __future__ import annotations

from policies.document.fault import Fault, quoted, suggestion
from policies.formats import FORMATS, PICKLE_CARRIERS, PICKLE_FORMATS, PROFILES
from policies.identities import REGEX_PREFIX, identity_problem
from policies.policy import GIVEN, FormatPolicy, LineagePolicy, Policy, SignerRule, Waiver

__all__ = ["check_policy"]

_DIGEST_KINDS = ("sha256", "dirHash")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-")
_LONGEST_NAME = 64


def check_policy(policy: Policy) -> None:
    """Raise a fault at the first thing that cannot stand."""
    for signer in policy.signers:
        _check_signer(signer)
    _check_threshold(policy)
    _check_formats(policy.formats)
    _check_lineage(policy.lineage)


def _check_signer(signer: SignerRule) -> None:
    path = ("signers", signer.name)
    if not signer.name or len(signer.name) > _LONGEST_NAME or not _NAME_CHARACTERS.issuperset(signer.name):
        hint = f"up to {_LONGEST_NAME} ASCII letters, digits and any of . _ @ + -"
        raise Fault(path, f"{quoted(signer.name)} cannot be the name of a signer", hint)
    if signer.name == GIVEN:
        raise Fault(
            path, f"the name `{GIVEN}` is kept for signers that the command names", "take another name"
        )
    if not (signer.keys or signer.certificates or signer.identity or signer.issuer):
        hint = "give it keys, certificates, or an identity with its issuer"
        raise Fault(path, f"the signer `{signer.name}` has no key, certificate or identity", hint)
    _check_identity(signer)


def _check_identity(signer: SignerRule) -> None:
    """An identity means nothing without who vouches for it, and who vouches is one exact issuer."""
    path = ("signers", signer.name)
    if signer.identity and not signer.issuer:
        raise Fault((*path, "identity"), "an identity needs its `issuer`", "name the issuer's exact URL")
    if signer.issuer and not signer.identity:
        message = "an issuer needs an `identity`: it vouches for everybody who has an account"
        raise Fault((*path, "issuer"), message, "name whose signature is accepted")
    if "*" in signer.issuer or signer.issuer.startswith(REGEX_PREFIX):
        raise Fault(
            (*path, "issuer"), "an issuer is one exact URL, not a pattern", "name two signers for two issuers"
        )
    problem = identity_problem(signer.identity) if signer.identity else None
    if problem is not None:
        raise Fault((*path, "identity"), f"the identity {quoted(signer.identity)} cannot be used: {problem}")


def _check_threshold(policy: Policy) -> None:
    """Every accepted name exists, and there are enough of them."""
    accept, threshold = policy.signatures.accept, policy.signatures.threshold
    names = tuple(signer.name for signer in policy.signers)
    for index, name in enumerate(accept):
        if name not in names:
            hint = f"signers of this policy: {', '.join(names) or 'none'}"
            message = f"there is no signer {quoted(name)}{suggestion(name, names)}"
            raise Fault(("signatures", "accept", index), message, hint)
    if names and not accept:
        message = "signers are named and none is accepted"
        raise Fault(("signatures", "accept"), message, "list them, or drop `accept` to accept all")
    if threshold > max(1, len(accept)):
        count = len(accept) or "none"
        message = f"`threshold` asks for {threshold} signers and {count} can be accepted"
        raise Fault(
            ("signatures", "threshold"), message, "name more signers in `accept`, or lower the threshold"
        )


def _check_formats(formats: FormatPolicy) -> None:
    for index, name in enumerate(formats.allow):
        if name not in FORMATS:
            message = f"there is no format {quoted(name)}{suggestion(name, FORMATS)}"
            raise Fault(("formats", "allow", index), message, f"formats: {', '.join(FORMATS)}")
        if formats.pickle == "refuse" and name in (*PICKLE_FORMATS, *PICKLE_CARRIERS):
            message = f"`{name}` holds pickles, and the policy refuses those"
            raise Fault(("formats", "allow", index), message, 'drop it, or set pickle = "allowlist"')
    for index, name in enumerate(formats.profiles):
        if name not in PROFILES:
            message = f"there is no profile {quoted(name)}{suggestion(name, PROFILES)}"
            raise Fault(("formats", "profiles", index), message, f"profiles: {', '.join(PROFILES)}")
    if formats.allow_globals and formats.pickle == "refuse":
        message = "`allow_globals` names what pickles may import, and the policy refuses pickles"
        raise Fault(("formats", "allow_globals"), message, 'drop it, or set pickle = "allowlist"')
    _check_globals(formats.allow_globals)


def _check_globals(names: tuple[str, ...]) -> None:
    """Exact names only: a pattern, or a whole module, would let in what nobody has read."""
    for index, name in enumerate(names):
        parts = name.split(".")
        if len(parts) == 1 or not all(part.isascii() and part.isidentifier() for part in parts):
            hint = "write `module.name`, as in collections.OrderedDict"
            raise Fault(
                ("formats", "allow_globals", index), f"{quoted(name)} is not the name of a global", hint
            )


def _check_lineage(lineage: LineagePolicy) -> None:
    for index, pattern in enumerate(lineage.sources):
        problem = identity_problem(pattern)
        if problem is not None:
            message = f"the source {quoted(pattern)} cannot be used: {problem}"
            raise Fault(("lineage", "sources", index), message)
    for index, waiver in enumerate(lineage.waivers):
        _check_waiver(waiver, index)


def _check_waiver(waiver: Waiver, index: int) -> None:
    if bool(waiver.path) == bool(waiver.digest):
        raise Fault(
            ("lineage", "waivers", index), "a waiver names one input, by its `path` or by its `digest`"
        )
    kind, colon, value = waiver.digest.rpartition(":")
    if waiver.digest and not (kind in _DIGEST_KINDS and colon and len(value) == 64 and _is_hex(value)):
        message = f"{quoted(waiver.digest)} is not a digest"
        raise Fault(
            ("lineage", "waivers", index, "digest"), message, "`provenance digest PATH` prints both forms"
        )


def _is_hex(text: str) -> bool:
    return set("0123456789abcdef").issuperset(text)
