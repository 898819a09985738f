"""The picture: two panels of accuracy by round, as an SVG that is legible on light and on dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

__all__ = ["Curves", "picture"]

Curves = Mapping[str, Sequence[float]]
"""By a method's title, the accuracy before the first round and after each."""

WIDTH, HEIGHT = 880, 372
TOP, BOTTOM = 92, 326
PANELS: Final = ((56, 368), (496, 808))  # left and right end of each
# A colour and a dash for each line: told apart also without colours, on white and on black.
STROKES: Final = (("#d9622b", ""), ("#3d8bd4", "7 4"), ("#1f9d76", "2 4"), ("#a66bd0", "10 3 2 3"))
LABEL_GAP = 15.0

STYLE = """
    text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #24292f }
    .title { font-weight: 600; font-size: 15px }
    .quiet { fill: #57606a }
    .grid { stroke: #d0d7de; stroke-width: 1 }
    .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .quiet { fill: #9da7b1 } .grid { stroke: #3d444d }
    }
"""


def picture(panels: Mapping[str, Curves]) -> str:
    """Draw two panels, by their titles; all curves of both are of the same methods and rounds."""
    first = next(iter(panels.values()))
    alt = "Accuracy on digits never seen in training, by round"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{alt}">',
        f"  <title>{alt}</title>",
        f"  <style>{STYLE}  </style>",
        *_legend(list(first)),
    ]
    for (left, right), (title, curves) in zip(PANELS, panels.items(), strict=True):
        parts += _panel(left, right, title, curves)
    return "\n".join([*parts, "</svg>", ""])


def _legend(titles: Sequence[str]) -> list[str]:
    found, x = [], float(PANELS[0][0])
    for title, (colour, dash) in zip(titles, STROKES, strict=True):
        found.append(
            f'  <path class="line" stroke="{colour}" stroke-dasharray="{dash}" d="M{x:.1f} 20h34"/>'
            f'<text x="{x + 42:.1f}" y="24.5">{escape(title)}</text>'
        )
        x += 42 + 7.4 * len(title) + 40
    return found


def _panel(left: float, right: float, title: str, curves: Curves) -> list[str]:
    last = len(next(iter(curves.values()))) - 1
    found = [f'  <text class="title" x="{left}" y="66">{escape(title)}</text>']
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        found.append(f'  <path class="grid" d="M{left} {y:.1f}H{right}"/>')
        found.append(
            f'  <text class="quiet" x="{left - 8}" y="{y + 4.5:.1f}" text-anchor="end">{percent}%</text>'
        )
    for number in range(0, last + 1, max(1, last // 3)):
        x = left + (right - left) * number / last
        found.append(
            f'  <text class="quiet" x="{x:.1f}" y="{BOTTOM + 20}" text-anchor="middle">{number}</text>'
        )
    found.append(
        f'  <text class="quiet" x="{(left + right) / 2}" y="{BOTTOM + 39}" text-anchor="middle">round</text>'
    )
    ends = _apart([_y(curve[-1]) for curve in curves.values()])
    for curve, end, (colour, dash) in zip(curves.values(), ends, STROKES, strict=True):
        points = " ".join(
            f"{left + (right - left) * number / last:.1f},{_y(value):.1f}"
            for number, value in enumerate(curve)
        )
        found.append(
            f'  <polyline class="line" stroke="{colour}" stroke-dasharray="{dash}" points="{points}"/>'
        )
        found.append(
            f'  <path class="line" stroke="{colour}" stroke-dasharray="{dash}" '
            f'd="M{right + 8} {end:.1f}h18"/><text x="{right + 31}" y="{end + 4.5:.1f}">{curve[-1]:.0%}</text>'
        )
    return found


def _y(value: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * value


def _apart(wanted: Sequence[float]) -> list[float]:
    """Move labels that would lie over each other apart, each group about its own middle."""
    groups: list[list[int]] = []
    for index in sorted(range(len(wanted)), key=wanted.__getitem__):
        groups.append([index])
        while len(groups) > 1 and _ends(groups[-2], wanted)[1] + LABEL_GAP > _ends(groups[-1], wanted)[0]:
            groups[-2:] = [groups[-2] + groups[-1]]
    found = list(wanted)
    for group in groups:
        first, _ = _ends(group, wanted)
        for place, index in enumerate(group):
            found[index] = first + place * LABEL_GAP
    return found


def _ends(group: Sequence[int], wanted: Sequence[float]) -> tuple[float, float]:
    """Give the first and the last place of a group of labels."""
    middle = sum(wanted[index] for index in group) / len(group)
    half = (len(group) - 1) * LABEL_GAP / 2
    return middle - half, middle + half
