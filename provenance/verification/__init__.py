"""Verifying an artifact: evidence is gathered here, and ``policies.decide`` judges it.

The order matters: signatures first, then nothing more of a bundle that no accepted signer signed; then the files,
each read once, for the digests that the signed manifests name and for its format.
"""

from __future__ import annotations

from provenance.verification.concluding import conclude, signed_by, signed_subject
from provenance.verification.gathering import Gathered, gather, listing_for
from provenance.verification.options import VerifyOptions, settle_policy
from provenance.verification.verdict import Verification
from provenance.verification.verifying import format_observer, verify

__all__ = [
    "Gathered",
    "Verification",
    "VerifyOptions",
    "conclude",
    "format_observer",
    "gather",
    "listing_for",
    "settle_policy",
    "signed_by",
    "signed_subject",
    "verify",
]
