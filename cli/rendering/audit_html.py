"""The audit as one page of HTML: tables first, readable without its script; it loads nothing and may load nothing.

The content security policy names the one style and the one script by their hashes. Whatever comes from outside is
text: escaped in the page, and `<` never stands in the data of the graph.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from cli.rendering.audit_sections import sections
from cli.rendering.escape import escape
from cli.rendering.wording import count

if TYPE_CHECKING:
    from provenance.auditing.model import Audit, Node

__all__ = ["render_page"]


def render_page(found: Audit) -> str:
    """Write the whole page."""
    style, script = _asset("audit.css"), _asset("audit.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"Audit of {html.escape(escape(found.subject))}: {found.decision}"
    parts = list(sections(found))
    links = "".join(f'<li><a href="#{each.id}">{each.title}</a></li>' for each in parts)
    body = "".join(f'<section id="{each.id}"><h2>{each.title}</h2>{each.body}</section>' for each in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{style}</style></head><body>"
        f"<header>{_head(found)}</header><nav><ul>{links}</ul></nav><main>{body}</main>"
        f'<footer>Made by provenance on {found.made:%Y-%m-%d %H:%M} UTC. "Proven" is what accepted signatures show, '
        '"asserted" what somebody says, "missing" what nobody says. '
        "Nothing here tells whether a model is good.</footer>"
        f'<script type="application/json" id="data">{_data(found)}</script><script>{script}</script></body></html>\n'
    )


def _asset(name: str) -> str:
    return files("cli.rendering.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(found: Audit) -> str:
    facts: Sequence[tuple[str, str]] = (
        ("lineage", f'<span class="mark {found.status}">{found.status}</span>'),
        ("artifact", f'<span class="hash">sha256:{html.escape(found.digest)}</span>'),
        ("policy", html.escape(escape(found.policy))),
        ("roster", html.escape(escape(found.roster)) or "none"),
        ("signed by", _signers(found)),
        ("checked", f"{count(found.checked_files, 'file')}, {found.checked_bytes:,} bytes"),
    )
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return (
        f"<h1>{html.escape(escape(found.subject))}</h1>"
        f'<p><span class="badge {found.decision}">{found.decision}</span></p><dl class="facts">{rows}</dl>'
    )


def _signers(found: Audit) -> str:
    names = (
        html.escape(escape(each.identity or f"{each.name} ({each.fingerprint})")) for each in found.signers
    )
    return "<br>".join(names) or "nobody who is accepted"


def _data(found: Audit) -> str:
    nodes = [_node(node) for node in found.nodes]
    edges = [[each.source, each.target, escape(each.kind), escape(each.role)] for each in found.edges]
    return _inert(json.dumps({"nodes": nodes, "edges": edges}, separators=(",", ":")))


def _node(node: Node) -> list[object]:
    """Give a node as the script reads it: name, digest, status, state, depth, contributor, problem."""
    words = escape(node.contributor), escape(node.problem)
    return [escape(node.name), node.digest, node.status, node.state, node.depth, *words]


def _inert(text: str) -> str:
    """Write JSON so that no part of it can end the element that it stands in."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
