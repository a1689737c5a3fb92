"""Choreography draws who hears what and asks what, and lists it context by context."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from events.registry import COMMANDS, EVENTS
from workers.printing.stories import STORIES, told
from workers.printing.story import Arrow
from workers.printing.tables import askers, effects, heard, hearers, records, refusals, tags

PREFACE = """\
# The choreography

Printed from the code by `make docs`: the reactions are the tables `REACTIONS` in `workers/<context>.py`, the effects
those of the same files, and what a command may record is what its rule in `aggregates/` names. Nothing else coordinates
anything. What is in the messages: [catalogue.md](catalogue.md).

A context hears events of others, asks commands of itself alone, and records events. An arrow with an open head is an
event that is heard; a full one is a call, or a command of a client; a note is a command that a context decides upon,
and what it records then (what notification records is left out).
"""


def choreography() -> str:
    """docs/choreography.md."""
    return "\n".join([PREFACE, *_overview(), *_sequences(), *(line for name in EVENTS for line in _context(name))])


def _overview() -> Iterator[str]:
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in heard():
        source = next(name for name, events in EVENTS.items() if row.event in events)
        said[source, row.context].append(row.event.tag.rpartition(".")[0])
    yield from ("## Who hears whom", "", "```mermaid", "flowchart LR")
    yield from (f"  {name}([{name}])" for name in EVENTS)
    for (source, target), tags_heard in said.items():
        yield f'  {source} -->|"{"<br>".join(tags_heard)}"| {target}'
    yield from ("  payment <-.-> provider[(payment provider)]", "  notification -.-> mail[(mail)]", "```", "")


def _sequences() -> Iterator[str]:
    yield from (
        "## The stories",
        "",
        "Each was lived through by the rules, one message after another. In a running system the messages of",
        "different contexts overtake each other; `tests/scenarios/` tries them in other orders and twice.",
        "",
    )
    for title, plot in STORIES.items():
        yield from (f"### {title}", "", "```mermaid", "sequenceDiagram", *_sequence(told(plot)), "```", "")


def _sequence(said: Iterable[Arrow]) -> Iterator[str]:
    said = list(said)
    named = {name for arrow in said for name in (arrow.source, arrow.target)}
    everybody = ("customer", *EVENTS, "provider", "mail")
    yield from (f"  participant {name}" for name in everybody if name in named)
    for arrow in said:
        if arrow.target == "notification" and arrow.kind in ("note", "-->>"):
            continue
        if arrow.kind == "note":
            yield f"  Note over {arrow.source}: {arrow.words.replace(': ', '<br>→ ')}"
        else:
            yield f"  {arrow.source}{arrow.kind}{arrow.target}: {arrow.words}"


def _context(name: str) -> Iterator[str]:
    yield from (f"## {name}", "", "| asked to | by | may record | may refuse with |", "|---|---|---|---|")
    for command in COMMANDS[name]:
        no = "<br>".join(f"`{refusal.__name__}`" for refusal in refusals(command))
        by = "<br>".join(_own(askers(command), name))
        yield f"| `{command.tag}` | {by} | {tags(records(command))} | {no} |"
    yield from ("", *_hears(name), *_does(name), "| records | heard by |", "|---|---|")
    for event in EVENTS[name]:
        yield f"| `{event.tag}` | {', '.join(dict.fromkeys(hearers(event)))} |"
    yield ""


def _own(found: Iterable[str], name: str) -> list[str]:
    return [asker.removeprefix(f"{name}: ") for asker in found]


def _hears(name: str) -> Iterator[str]:
    rows = [row for row in heard() if row.context == name]
    if rows:
        yield from ("| hears | reaction | asks itself to |", "|---|---|---|")
        yield from (f"| `{row.event.tag}` | `{row.reaction}` | {tags(row.asked)} |" for row in rows)
        yield ""


def _does(name: str) -> Iterator[str]:
    if found := effects(name):
        yield from ("| effect | pending after | its answer, a command to itself |", "|---|---|---|")
        for effect in found:
            when = ", at the deadline" if effect.deadline else ""
            yield f"| `{effect.step}` | {tags(effect.after)}{when} | {tags(effect.answers)} |"
        yield ""
