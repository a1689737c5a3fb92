"""Drawing makes an SVG of a story: a lane a context, time goes down, an arrow leads from each cause to what followed.

Rows are of one height, for a saga's steps lie milliseconds or days apart; the margin says how far, and where more than
a second passed, a line is drawn across.
"""

from collections.abc import Sequence
from datetime import timedelta
from html import escape
from itertools import pairwise

from schemas.settings import CONTEXTS
from workers.analyst.spans import span
from workers.analyst.story import Step, causes, together

MARGIN, LANE, ROW, GAP, TOP, FOOT = 150, 250, 30, 26, 96, 44
BOX, INSET = 22, 14
LONG = timedelta(seconds=1)
"""A pause that is drawn."""
COLORS = {"command": "#e8f1fb", "event": "#e6f4ea", "rejection": "#fde7e7", "attempt": "#fff4d6", "message": "#f3e8fd"}
EDGES = {"command": "#5b8fc7", "event": "#4f9d69", "rejection": "#c94f4f", "attempt": "#c2962f", "message": "#8e5fc0"}
STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2933}"
    ".h{font-size:17px;font-weight:600}.l{font-size:13px;font-weight:600}.t,.d{fill:#6b7780;font-size:11px}"
    ".t{font-variant-numeric:tabular-nums;text-anchor:end}.a{fill:none;stroke:#9aa5b1;stroke-width:1.1}"
)
Center = tuple[float, float]


def draw(told: Sequence[Step], title: str) -> str:
    """The story as an SVG document."""
    groups = together(told)
    rows = [group[0] for group in groups]
    lanes = [context for context in CONTEXTS if any(step.context == context for step in rows)]
    heights = _heights(rows)
    left = {context: MARGIN + n * LANE for n, context in enumerate(lanes)}
    width, height = MARGIN + LANE * len(lanes) + INSET, heights[-1] + ROW + FOOT
    centers = {
        step.id: (left[step.context] + INSET, y) for group, y in zip(groups, heights, strict=True) for step in group
    }
    arrows = {(centers[cause], centers[step]) for step, cause in causes(told).items()}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{_text(title)}</title><style>{STYLE}</style>',
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#9aa5b1"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text class="h" x="{INSET}" y="30">{_text(title)}</text>',
        f'<text class="d" x="{INSET}" y="50">{rows[0].at:%A %d %B %Y, %H:%M:%S} UTC</text>',
        *(_lane(context, left[context], height) for context in lanes),
        *_pauses(rows, heights, width),
        *(_arrow(*ends) for ends in sorted(arrows)),
        *(_row(group, left[group[0].context], y) for group, y in zip(groups, heights, strict=True)),
        _legend(height),
        "</svg>\n",
    ]
    return "\n".join(part for part in parts if part)


def _heights(rows: Sequence[Step]) -> list[int]:
    """Where each row stands; a long pause takes room of its own."""
    heights = [TOP]
    for before, step in pairwise(rows):
        heights.append(heights[-1] + ROW + (GAP if step.at - before.at >= LONG else 0))
    return heights


def _lane(context: str, x: int, height: int) -> str:
    return (
        f'<rect x="{x}" y="62" width="{LANE - 6}" height="{height - 62 - FOOT + 8}" rx="6" fill="#f6f8fa"/>'
        f'<text class="l" x="{x + INSET}" y="80">{context}</text>'
    )


def _pauses(rows: Sequence[Step], heights: Sequence[int], width: int) -> list[str]:
    drawn = []
    for (before, step), y in zip(pairwise(rows), heights[1:], strict=True):
        if step.at - before.at >= LONG:
            line = y - (ROW + GAP) / 2 + 2
            drawn.append(
                f'<path d="M{MARGIN} {line}H{width - INSET}" stroke="#c3ccd5" stroke-dasharray="3 4"/>'
                f'<text class="d" x="{MARGIN + 6}" y="{line - 4}">{span(step.at - before.at)} later, '
                f"{step.at:%d %B %H:%M:%S}</text>"
            )
    return drawn


def _arrow(cause: Center, step: Center) -> str:
    """From the side of a cause to the side of what followed."""
    (x, y), (to, down) = cause, step
    if x == to:
        curve = f"M{x} {y}C{x - 12} {y + 10} {x - 12} {down - 10} {x} {down}"
        return f'<path class="a" d="{curve}" marker-end="url(#to)"/>'
    side = to if to > x else to + LANE - 2 * INSET - 6
    begin = x + LANE - 2 * INSET - 6 if to > x else x
    bend = (side - begin) / 2
    curve = f"M{begin} {y}C{begin + bend} {y} {side - bend} {down} {side} {down}"
    return f'<path class="a" d="{curve}" marker-end="url(#to)"/>'


def _row(group: Sequence[Step], x: int, y: int) -> str:
    step, many = group[0], len(group)
    told = " · ".join(
        filter(None, (step.stream, f"v{step.version}" if step.version else "", f"by {step.by}", step.says))
    )
    name = step.type + (f" x {many}" if many > 1 else "")
    short = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    inside = f'<text x="{x + INSET + 8}" y="{y + 4}">{_text(short)}</text>'
    return (
        f"<g><title>{_text(f'{step.kind} {step.type}: {told}')}</title>"
        f'<text class="t" x="{MARGIN - 14}" y="{y + 4}">{span(step.since)}</text>'
        f'<rect x="{x + INSET}" y="{y - BOX / 2}" width="{LANE - 2 * INSET - 6}" height="{BOX}" rx="5" '
        f'fill="{COLORS[step.kind]}" stroke="{EDGES[step.kind]}"/>{inside}</g>'
    )


LONGEST = 31
"""Characters that a box has room for."""


def _legend(height: int) -> str:
    drawn = []
    for n, kind in enumerate(COLORS):
        x = MARGIN + n * 110
        drawn.append(
            f'<rect x="{x}" y="{height - 26}" width="14" height="12" rx="3" fill="{COLORS[kind]}" '
            f'stroke="{EDGES[kind]}"/><text class="d" x="{x + 20}" y="{height - 16}">{kind}</text>'
        )
    return "".join(drawn)


def _text(text: str) -> str:
    """Text for XML: escaped, and without the characters that XML has no way to write."""
    return escape("".join(char if char.isprintable() else "�" for char in text))
