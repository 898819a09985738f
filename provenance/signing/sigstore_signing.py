"""Keyless signing: a short-lived certificate for the identity of a CI job or a person, and an entry in a log."""

from __future__ import annotations

import os
from pathlib import Path

from provenance.errors import UsageError
from provenance.signing.sigstore_roots import first_line

__all__ = ["sign_with_sigstore"]

TOKEN_VARIABLE = "SIGSTORE_ID_TOKEN"  # noqa: S105 (the name of a variable, not its content)


def sign_with_sigstore(
    payload: bytes, *, identity_token: str | None = None, trust_config: Path | None = None
) -> bytes:
    """Sign an in-toto statement and return the bundle's JSON.

    The identity is ``identity_token`` (an OIDC token), ``SIGSTORE_ID_TOKEN``, or the one that a CI job has ambiently;
    ``trust_config`` is a ClientTrustConfig of another instance than the public one. Needs the network. Raises
    ``UsageError`` where there is no identity or an instance refuses.
    """
    from sigstore.dsse import Statement
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken, detect_credential
    from sigstore.sign import SigningContext

    token: str | None = None
    try:
        token = identity_token or os.environ.get(TOKEN_VARIABLE) or detect_credential()
        if token:
            identity = IdentityToken(token)
            config = (
                ClientTrustConfig.production()
                if trust_config is None
                else ClientTrustConfig.from_json(trust_config.read_text(encoding="utf-8"))
            )
            with SigningContext.from_trust_config(config).signer(identity) as signer:
                return signer.sign_dsse(Statement(payload)).to_json().encode()
    except Exception as error:  # noqa: BLE001 (the client's own errors have no common base)
        # The chain of causes is cut: a library's traceback could show the token; so could its message.
        said = first_line(error).replace(token or "\0", "(token)")
        raise UsageError(f"Sigstore did not sign: {said}") from None
    hint = "run in a CI job that has one, or give --identity-token"
    raise UsageError("there is no identity to sign with", hint=hint)
