"""What the options of one command change in a policy, for that command only."""

from __future__ import annotations

from msgspec.structs import replace

from policies.errors import PolicyError
from policies.identities import identity_problem
from policies.policy import GIVEN, Policy, SignerRule

__all__ = ["tolerating_unsigned", "with_given"]


def tolerating_unsigned(policy: Policy) -> Policy:
    """The policy with unsigned files reported as warnings (``--ignore-unsigned-files``)."""
    return replace(policy, signatures=replace(policy.signatures, unsigned="warn"))


def with_given(
    policy: Policy,
    *,
    keys: tuple[str, ...] = (),
    certificates: tuple[str, ...] = (),
    identity: str = "",
    issuer: str = "",
) -> Policy:
    """The policy with one signer, ``given``, who may sign with any of these: what is named on the spot.

    Signatures are asked for from then on, also where the policy judged content alone. Raises PolicyError where
    nothing is given, where an identity lacks its issuer or cannot be used, and where the policy names signers of
    its own, whose number and names would no longer count.
    """
    if policy.signers or policy.signatures.accept:
        message = "signers cannot be given for a policy that names its own"
        raise PolicyError(message, hint="give the policy or the signers, not both", name=policy.name)
    if bool(identity) != bool(issuer):
        raise PolicyError(
            "an identity and its issuer are given together", hint="give --identity and --issuer"
        )
    problem = identity_problem(identity) if identity else None
    if problem is not None:
        raise PolicyError(
            f"the identity cannot be used: {problem}", hint="give an exact name, a glob or regex:…"
        )
    if not (keys or certificates or identity):
        raise PolicyError("no key, certificate or identity is given", hint="give --key, for one")
    signer = SignerRule(name=GIVEN, keys=keys, certificates=certificates, identity=identity, issuer=issuer)
    signatures = replace(policy.signatures, accept=(GIVEN,), threshold=1, required=True)
    return replace(policy, signers=(signer,), signatures=signatures)
