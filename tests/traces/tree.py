"""Tree draws a trace as text: each span below its parent, with when it began and how long it took."""

from collections import defaultdict
from collections.abc import Sequence

from tests.traces.collector import Told

SHOWN = ("command", "event", "step", "outcome", "events", "template", "total")


def tree(spans: Sequence[Told]) -> str:
    """The trace; those whose parents are elsewhere come first."""
    known, children = {each.span for each in spans}, defaultdict[str, list[Told]](list)
    for each in sorted(spans, key=lambda each: each.began):
        children[each.parent if each.parent in known else ""].append(each)
    first = min(each.began for each in spans)
    return "\n".join(line for root in children[""] for line in _lines(root, children, first, 0))


def _lines(span: Told, children: dict[str, list[Told]], first: int, depth: int) -> list[str]:
    at, took = (span.began - first) / 1e6, (span.ended - span.began) / 1e6
    said = " ".join(_said(name, span.facts[f"orderlog.{name}"]) for name in SHOWN if f"orderlog.{name}" in span.facts)
    links = f" → {len(span.links)} linked" if span.links else ""
    error = f" ERROR {span.error}" if span.error else ""
    line = f"{at:7.1f} {took:7.1f} ms  {'  ' * depth}{span.what}  {said}{links}{error}".rstrip()
    return [line, *(each for child in children[span.span] for each in _lines(child, children, first, depth + 1))]


def _said(name: str, fact: object) -> str:
    if isinstance(fact, list):
        return f"[{', '.join(map(str, fact))}]"
    return f"{name}={fact}" if name == "total" else str(fact)
