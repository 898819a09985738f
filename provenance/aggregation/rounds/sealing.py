"""Tags by which later reads are held to the first one: secret ones within a process, public ones between machines.

Within a process: GMAC (NIST SP 800-38D) with a random key of this process and a nonce for each piece. The tags never
leave the process, so whoever can write to a file meanwhile has a chance of at most its blocks over 2^128 to go
unnoticed; it costs a third of the fastest digest. Between machines: BLAKE3, which needs no secret to be shared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["Tag", "new_tag", "piece_digest"]

# Takes the number of a piece and its bytes.
Tag = Callable[[int, Any], bytes]


def new_tag() -> Tag:
    """Return the function that tags the pieces of one file."""
    cipher = AESGCM(os.urandom(32))

    def tag(number: int, data: Any) -> bytes:
        return cipher.encrypt(number.to_bytes(12, "big"), b"", data)

    return tag


def piece_digest(_number: int, data: Any) -> bytes:
    """Tag a piece so that any process can prove it, whoever knows the tag."""
    return blake3(data).digest()
