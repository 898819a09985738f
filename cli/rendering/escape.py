"""Names from files, bundles and archives, made safe to show on a terminal, in a log or in a report."""

from __future__ import annotations

__all__ = ["escape"]


def escape(text: str) -> str:
    r"""Write every character that is not plainly visible as an escape: ``\x1b``, ``\u202e``, ``\U000e0041``.

    That covers control characters and line ends, terminal escapes, marks that turn the direction of writing,
    invisible and private characters, spaces other than the common one, and the halves of undecodable bytes
    (shown as the byte, ``\xff``).
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short:
        return short
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
