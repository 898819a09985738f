"""The sections of the audit's page, each a table or two."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from cli.rendering.escape import escape
from cli.rendering.places import from_here
from cli.rendering.wording import count

if TYPE_CHECKING:
    from policies import Finding
    from provenance.auditing.model import Audit, Person

__all__ = ["Section", "sections"]

_MOST: Final = 2_000  # rows of one table
_CONTROLS: Final = (
    '<div id="tools" hidden><div class="controls"><label for="search">find</label>'
    '<input id="search" type="search" autocomplete="off" placeholder="name, digest or contributor, then Enter">'
    '<span id="found" role="status"></span><button id="less" type="button">fewer steps</button>'
    '<button id="more" type="button">more steps</button><button id="next" type="button">next gap</button>'
    '<button id="home" type="button">the artifact</button></div>'
    '<div id="graph"></div><p id="about" role="status"></p></div>'
)


class Section(NamedTuple):
    """A part of the page: its anchor, its heading, its HTML."""

    id: str
    title: str
    body: str


def sections(found: Audit) -> Iterator[Section]:
    """Yield the parts in the order in which a person asks."""
    yield Section("findings", "Findings", _findings(found.findings))
    yield Section("contributors", "Contributors", _people(found))
    yield Section("sources", "Sources and licences", _sources(found))
    yield Section("lineage", "Lineage", _lineage(found))
    yield Section("custody", "Chain of custody", _custody(found))
    if found.aggregations:
        yield Section("rounds", "Aggregated rounds", _rounds(found))
    yield Section("evidence", "Evidence that the EU AI Act asks for", _evidence(found))


def _text(value: str) -> str:
    return html.escape(escape(value))


def _mark(word: str) -> str:
    return f'<span class="mark {html.escape(word.split(maxsplit=1)[0] if word else "")}">{_text(word)}</span>'


def _hash(digest: str) -> str:
    return f'<span class="hash">{html.escape(digest[:16])}</span>' if digest else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int] = frozenset()) -> str:
    """Write a table without the columns that hold nothing."""
    cells = list(rows)
    columns = [at for at in range(len(heads)) if any(row[at] for row in cells) or not cells]
    head = "".join(_cell("th", heads[at], at in numbers) for at in columns)
    shown = "".join(
        _row([row[at] for at in columns], [at in numbers for at in columns]) for row in cells[:_MOST]
    )
    more = len(cells) - _MOST
    rest = f"<p>{more:,} more are in the JSON output.</p>" if more > 0 else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{shown}</tbody>"
    return f'<div class="table"><table>{body}</table></div>{rest}'


def _row(cells: Sequence[str], numeric: Sequence[bool]) -> str:
    return (
        f"<tr>{''.join(_cell('td', cell, number) for cell, number in zip(cells, numeric, strict=True))}</tr>"
    )


def _cell(tag: str, content: str, number: bool) -> str:
    kind = ' class="number"' if number else ""
    scope = ' scope="col"' if tag == "th" else ""
    return f"<{tag}{scope}{kind}>{content}</{tag}>"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<p>None.</p>"
    order = {"error": 0, "warning": 1, "note": 2}
    ranked = sorted(findings, key=lambda each: order[each.severity])
    return "".join(_finding(each) for each in ranked[:_MOST])


def _finding(found: Finding) -> str:
    place = ", ".join(each for each in (from_here(found.path), found.where) if each)
    lines = [f"<p><strong>{found.severity} {_text(found.rule)}</strong>: {_text(found.message)}</p>"]
    if place:
        lines.append(f"<p><code>{_text(place)}</code></p>")
    lines += [f'<p class="hint">{_text(note)}</p>' for note in found.notes]
    if found.hint:
        lines.append(f'<p class="hint">Next: {_text(found.hint)}</p>')
    return f'<div class="finding {found.severity}">{"".join(lines)}</div>'


def _people(found: Audit) -> str:
    if not found.people:
        return "<p>No contribution could be followed to a person.</p>"
    heads = (
        "contributor",
        "records",
        "updates",
        "share",
        "part",
        "voting right",
        "standing",
        "key",
        "licences",
    )
    return _table(heads, map(_person, found.people), frozenset({1, 2, 3, 4, 5}))


def _person(each: Person) -> Sequence[str]:
    standing = _mark(each.standing) + (" " + _mark("tainted") if each.tainted else "")
    until = f"<br>until {each.valid_until:%Y-%m-%d}" if each.valid_until else ""
    return (
        _text(each.id),
        f"{each.records:,}" if each.records else "",
        f"{each.updates:,}" if each.updates else "",
        "" if each.share is None else f"{100 * each.share:.1f} %",
        "" if each.coefficient is None else f"{each.coefficient:.4f}",
        "" if each.voting_right is None else f"{each.voting_right:g}",
        standing + until,
        "<br>".join(_hash(key.removeprefix("SHA256:")) for key in each.keys[:3]),
        _text(", ".join(each.licences)),
    )


def _sources(found: Audit) -> str:
    rows = (
        (
            _text(end.path),
            _hash(end.digest),
            _mark(end.status),
            _text(end.contributor),
            _text(end.licence) or "not stated",
            _text(end.reason),
        )
        for end in found.sources
    )
    return _table(("source", "sha256", "status", "contributor", "licence", "why not proven"), rows)


def _lineage(found: Audit) -> str:
    counts = " ".join(f"{found.count(word):,} {_mark(word)}" for word in ("proven", "asserted", "missing"))
    return (
        f"<p>{_text(count(len(found.nodes), 'artifact'))}: {counts}</p>{_CONTROLS}"
        "<noscript><p>The picture needs the page's script; the tables hold all of it.</p></noscript>"
    )


def _custody(found: Audit) -> str:
    rows = (
        (
            _text(step.artifact),
            _hash(step.digest),
            _text(step.kind or "nothing"),
            f"{step.inputs:,}" if step.inputs else "",
            _text(step.signer),
            "" if step.time is None else f"{step.time:%Y-%m-%d %H:%M}{'' if step.trusted else ' (claimed)'}",
            _mark(step.status),
            f"<code>{_text(from_here(step.statement))}</code>"
            + (f"<br>{_text(step.note)}" if step.note else ""),
        )
        for step in found.custody
    )
    heads = ("artifact", "sha256", "statement of", "inputs", "by", "when", "status", "where")
    return _table(heads, rows, frozenset({3}))


def _rounds(found: Audit) -> str:
    parts = []
    for each in found.aggregations:
        kappa = (each.guarantee or {}).get("kappa")
        known = f"kappa {kappa:.3g}" if isinstance(kappa, int | float) else "no constant is known"
        before = f" after {', '.join(each.pre)}" if each.pre else ""
        parts.append(
            f"<p><strong>{_text(each.artifact)}</strong>: round {_text(each.round)}, rule {_text(each.rule)}"
            f"{_text(before)}, for up to {each.faulty} faulty of {len(each.parts)}; {known}.</p>"
        )
        rows = (
            (_text(who), "" if part is None else f"{part:.4f}", f"{right:g}")
            for who, part, right in each.parts
        )
        parts.append(_table(("contributor", "part in the result", "voting right"), rows, frozenset({1, 2})))
        if each.weighing:
            parts.append(f"<p>Part in the result: {_text(each.weighing)}.</p>")
        if each.rejected:
            left = ((_text(who), _text(rule), _text(message)) for who, rule, message in each.rejected)
            parts.append("<p>Left out:</p>" + _table(("contributor", "rule", "why"), left))
    return "".join(parts)


def _evidence(found: Audit) -> str:
    rows = (
        (_text(each.article), _text(each.asks), _mark(each.status), _text(each.shown))
        for each in found.evidence
    )
    return (
        "<p>Regulation (EU) 2024/1689, by article: what signed statements can show of the evidence that it asks for. "
        "Whether that is enough is for people and authorities to say.</p>"
        + _table(("article", "asks for", "status", "what is shown"), rows)
    )
