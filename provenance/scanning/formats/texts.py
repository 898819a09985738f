"""Text files that loaders take for more: YAML configurations, MLflow's descriptions, templates.

YAML is read by lines. A key that leads to code in any but the plain form ``key: value`` leaves the file undecided, and
so do tags and escapes by which such a key could be written unseen.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from provenance.scanning.context import Context
from provenance.scanning.formats.config_keys import plain_target, switched_on
from provenance.scanning.formats.templates import template_faults
from provenance.scanning.readers import Reader

__all__ = ["read_text"]

_MAX_YAML: Final = 16 << 20
_MAX_SHOWN: Final = 5
_YAML_NAMES: Final = (".yaml", ".yml")
_TEMPLATE_NAMES: Final = (".jinja", ".jinja2", ".j2")
_KEYS: Final = (
    b"_target_|trust_remote_code|auto_map|custom_pipeline|class_path|loader_module"
    b"|_attn_implementation_internal"
)
_NEEDLE: Final = re.compile(rb"(?<![\w.])(?:" + _KEYS + rb")(?![\w.])")
_PLAIN: Final = re.compile(
    rb"^[ \t]*(?:-[ \t]+)*(?P<quote>[\"']?)(?P<key>" + _KEYS + rb")(?P=quote)[ \t]*:(?P<value>[^\n]*)$",
    re.MULTILINE,
)
_TAG: Final = re.compile(rb"(?:^|[\s,\[{:?-])!(?P<tag><[^>\s]*>|[^\s,\[\]{}]*)")
# Letters and underscores are escaped only to hide; a line that ends in a backslash may go on in the next one.
_ESCAPED: Final = re.compile(rb"\\(?:x|u00|U000000)(?:4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])")
_FOLD: Final = re.compile(rb"\\\n[ \t]*+")
_COMMENT: Final = re.compile(rb"^[ \t]*#[^\n]*$", re.MULTILINE)
_LOADERS: Final = re.compile(r"mlflow(?:\.[a-z]\w*)*\Z")


def read_text(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """Look through YAML for tags and keys that lead to code, and through templates."""
    base = name.lower().rpartition("/")[2]
    if base.endswith(_YAML_NAMES) or base in ("", "mlmodel"):
        _read_yaml(context, reader, named=bool(base))
    if base.endswith(_TEMPLATE_NAMES) or "chat_template" in base or head.lstrip()[:2] in (b"{%", b"{{"):
        text = reader.read_at(0, min(reader.size, 2 << 20)).decode("utf-8", "replace")
        for fault, rule in template_faults(text):
            context.add(rule, f"the template is not plain: {fault}")


def _read_yaml(context: Context, reader: Reader, *, named: bool) -> None:
    if reader.size > _MAX_YAML:
        if named:
            context.add("FMT016", f"the YAML is larger than {_MAX_YAML >> 20} MiB")
        return
    data = _COMMENT.sub(b"", _as_utf8(reader.read_at(0, reader.size)))
    for match in list(_TAG.finditer(data))[:1000]:
        tag = unquote(match["tag"].decode("utf-8", "replace"))
        if "python/" in tag:
            context.add("FMT014", f"a YAML tag makes a Python object: {tag[:60]!r}")
            break
    if named and re.search(rb"^%TAG", data, re.MULTILINE):
        context.add("FMT016", "its tags have prefixes of their own")
    if named and _ESCAPED.search(data):
        context.add("FMT016", "a key is written with escapes")
    for text in dict.fromkeys((data, _FOLD.sub(b"", data))):
        _read_keys(context, text, named=named)


def _as_utf8(data: bytes) -> bytes:
    """YAML may be in UTF-16, which its mark tells."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _read_keys(context: Context, data: bytes, *, named: bool) -> None:
    plain = {match.start("key"): match for match in _PLAIN.finditer(data)}
    faults: dict[tuple[str, str], None] = {}
    for needle in _NEEDLE.finditer(data):
        found = plain.get(needle.start())
        if found is not None:
            faults.setdefault(_key_fault(found["key"].decode(), _scalar(found["value"])))
        elif named:
            faults.setdefault(
                ("FMT016", f"`{needle[0].decode()}` stands where only a YAML parser could tell what it is")
            )
    for rule, message in list(faults)[: _MAX_SHOWN + 1]:
        if rule:
            context.add(rule, message)


def _scalar(value: bytes) -> str | None:
    """A plain or quoted scalar; None where it may be longer, or is none."""
    text = re.sub(r"(?:^|\s)#.*$", "", value.decode("utf-8", "replace")).strip()
    if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0] and "\\" not in text:
        return text[1:-1]
    return None if not text or text[0] in "|>&*!{[\"'?%@`" else text


def _key_fault(key: str, value: str | None) -> tuple[str, str]:
    """(rule id, what is wrong), or two empty texts."""
    if value is None:
        return "FMT016", f"the value of `{key}` is none that is read"
    if key in ("_target_", "class_path"):
        return (
            ("", "") if plain_target(value) else ("FMT014", f"`{key}` names {value[:80]!r}, which is called")
        )
    if key == "loader_module":
        return (
            ("", "")
            if _LOADERS.match(value)
            else ("FMT014", f"`{key}` names {value[:80]!r}, which is imported")
        )
    if key == "trust_remote_code":
        return ("FMT014", "`trust_remote_code` is switched on") if switched_on(value) else ("", "")
    return ("FMT014", f"`{key}` names code that loaders import") if switched_on(value) else ("", "")
