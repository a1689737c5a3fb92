"""Bug runs check the checker: one run for each seeded bug, with the faults that make it show; it must be caught."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct, json
from rich.console import Console
from rich.table import Table

from tests.faults.bugs.table import TABLE, Row
from tests.faults.plan import HOMES, SESSION, WORKERS, Step
from tests.faults.runner import Asked, run, save_plan

MONEY_PATH = ("worker-order", "worker-product", "worker-payment")


class Caught(Struct, frozen=True):
    """What became of one bug: the promises found broken, and whether one of those that were expected is among them."""

    bug: str
    verdict: str
    broken: list[str]
    expected: bool


async def run_all(names: list[str], seed: int, folder: Path, console: Console) -> list[Caught]:
    """One run a bug; what comes of each is written down at once."""
    found: list[Caught] = []
    for name in names:
        console.rule(name)
        found.append(await _run_one(name, seed, folder / name, console))
        told = tell(found)
        console.print(table(found))
        _write(folder / "bugs.md", told)
    return found


async def _run_one(name: str, seed: int, folder: Path, console: Console) -> Caught:
    row = TABLE[name]
    asked = Asked(seed, orders=row.orders, rate=10, kills=0, minutes=4, baskets=60, bug=name, patience=62)
    steps = [step for need in row.needs for step in _steps(Random(f"{seed}/{need}"), need)]
    save_plan(steps, folder)
    await run(asked, steps, folder, console)
    return judged(name, row, folder)


def judged(name: str, row: Row, folder: Path) -> Caught:
    """What the verdict of a run says of its bug."""
    path = folder / "verdict.json"
    verdict: dict[str, Any] = json.decode(path.read_bytes()) if path.exists() else {"verdict": "unknown"}
    broken = list(verdict.get("violations") or ())
    expected = any(promise.startswith(row.promises) for promise in broken)
    return Caught(name, verdict["verdict"], broken, expected)


def _steps(rng: Random, need: str) -> Iterator[Step]:
    """The faults that one word of the table asks for."""
    fault, _, rest = need.partition(":")
    match fault:
        case "load":
            return
        case "kill":
            yield from (Step("kill", name, after=1.0, detail={"down": 0.0}) for name in MONEY_PATH)
        case "stop":
            for name in MONEY_PATH:
                yield Step("stop", name, 1.3 * SESSION, {"replaced": True}, after=1.0)
        case "rebalance":
            yield Step(fault, WORKERS[0], 4.0, {"gently": False})
        case "failpoint":
            point, action, reach = (*rest.split(":"), *("kill", "2")[rest.count(":") :])
            process = HOMES.get(point.partition(".")[0], "worker-order")
            yield Step(fault, point, detail={"process": process, "action": action, "reach": int(reach)})
        case "poison":
            yield Step(fault, "", 4.0, {"seed": rng.randrange(10**6), "records": 60})
        case "provider-mode":
            yield Step(fault, "provider", 6.0, {"mode": rest, "probability": 0.5, "seed": 1, "ms": 300})
        case "mail-mode":
            yield Step(fault, "mailbox", 6.0, {"mode": rest})
        case "lose-answer":
            yield Step(fault, rest, 6.0, {"answers": 20})
        case "cut":
            yield from (Step(fault, rest, 3.0, {"how": "reset"}, after=1.0) for _ in range(3))
        case "broker-kill":
            yield Step(fault, "kafka", 1.0)
        case _:
            yield Step(fault, "postgres", 1.0)


def tell(found: list[Caught]) -> str:
    """The outcome as a table of Markdown."""
    lines = ["| bug | verdict | promises found broken |", "|---|---|---|"]
    for each in found:
        broken = ", ".join(each.broken) or "none"
        lines.append(f"| {each.bug} | {each.verdict}{'' if each.expected else ' (**not as expected**)'} | {broken} |")
    return "\n".join(lines) + "\n"


def table(found: list[Caught]) -> Table:
    """The same for the console."""
    shown = Table("bug", "caught", "promises found broken", box=None)
    for each in found:
        shown.add_row(each.bug, "yes" if each.expected else "[red]no[/]", ", ".join(each.broken))
    return shown


def _write(path: Path, text: str) -> None:
    path.write_text(text)
