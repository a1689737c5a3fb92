"""The command line of the faults. Every run ends with the checker's verdict, and with the command that repeats it.

run         one run: customers at a rate, kills and stops with other faults between and beside them
failpoints  one run in which a process is killed once at every moment that has a name
ci          both in one run, as `make faults` does; after an inconclusive one, another
soak        the long run of `make soak`, with its report
bugs        one run for each seeded bug: the checker must catch it
report      tell a run again, from its folder
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from msgspec.structs import replace
from rich.console import Console

from tests.faults import report
from tests.faults.bug_runs import run_all
from tests.faults.bugs.table import TABLE
from tests.faults.failpoints import NAMES
from tests.faults.runner import Asked, prepare, run

KINDS: dict[str, Asked] = {
    "run": Asked(0),
    "failpoints": Asked(0, orders=500, rate=8, kills=0, failpoints=tuple(NAMES)),
    "ci": Asked(0, orders=2000, rate=7, kills=30, spacing=4.5, failpoints=tuple(NAMES)),
    "soak": Asked(
        0, orders=50_000, rate=17, kills=300, spacing=7, minutes=80, baskets=400, soak=True, failpoints=tuple(NAMES)
    ),
}

INCONCLUSIVE = 2
REPORT = Path("docs/reliability.md")
SEEDS, LAST_LINES = 10_000, 80
"""Seeds that a soak simulates, and how much of what that says is kept."""


def main() -> int:
    """Do what is asked for; the exit code is the checker's: 0 valid, 1 invalid, 2 nobody can tell."""
    given = _parser().parse_args()
    console = Console(soft_wrap=True)
    if given.what == "report":
        if given.folder is None or not (given.folder / "evidence.json").exists():
            console.print("report needs the folder of a run", style="red")
            return 64
        console.print(report.tell(given.folder), markup=False, highlight=False)
        return 0
    if given.what == "bugs":
        return _bugs(given, console)
    if given.what == "soak":
        return _soak(given, console)
    code = _run(_asked(given), given.home, console, given.keep)
    if code == INCONCLUSIVE and given.what == "ci" and given.seed is given.home is None:
        console.print("It has shown too little to be green: once more, with other faults.")
        code = _run(_asked(given), given.home, console, given.keep)
    return code


def _soak(given: argparse.Namespace, console: Console) -> int:
    """The long run, then simulated seeds; the report is written after each, so that a cut leaves what there is."""
    folder = given.home or Path(tempfile.mkdtemp(prefix="soak-"))
    code = _run(_asked(given), folder, console, keep=True)
    report.write(folder, REPORT)
    simulated = simulate(folder, console)
    report.write(folder, REPORT)
    console.print(f"{REPORT} is written")
    return code or simulated


def simulate(folder: Path, console: Console) -> int:
    """Run the simulation's seeds, and keep the end of what it says with the run."""
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(SEEDS), "--processes", "2"]
    console.print(" ".join(command[1:]))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
    console.print(said, markup=False)
    (folder / "simulation.txt").write_text(f"{said}\n")
    return 1 if done.returncode else 0


def _bugs(given: argparse.Namespace, console: Console) -> int:
    """1 if a bug was not caught as it should be."""
    folder = given.home or Path(tempfile.mkdtemp(prefix="bugs-"))
    names = [given.bug] if given.bug else list(TABLE)
    found = uvloop.run(run_all(names, _seed(given), folder, console))
    missed = [each.bug for each in found if not each.expected]
    console.print(f"{len(found) - len(missed)} of {len(found)} bugs were caught; not: {', '.join(missed) or 'none'}")
    console.print(f"evidence: {folder}")
    return 1 if missed else 0


def _run(asked: Asked, home: Path | None, console: Console, keep: bool) -> int:
    folder = home or Path(tempfile.mkdtemp(prefix="faults-"))
    console.print(f"{asked.command} --home {folder}")
    code = uvloop.run(run(asked, prepare(asked, folder), folder, console))
    console.print(f"[bold]{('valid', 'invalid', 'unknown')[code]}[/]; again: {asked.command}")
    if home is None and not code and not keep:
        shutil.rmtree(folder)
    else:
        console.print(f"evidence: {folder}")
    return code


def _asked(given: argparse.Namespace) -> Asked:
    kind = KINDS[given.what]
    named = {name: getattr(given, name) for name in ("orders", "rate", "kills", "spacing", "minutes", "baskets", "bug")}
    wanted = {name: value for name, value in named.items() if value is not None} | (
        {"soak": True} if given.soak else {}
    )
    if given.failpoint:
        wanted["failpoints"] = tuple(NAMES) if given.failpoint == ["all"] else tuple(given.failpoint)
    return replace(kind, **wanted, seed=_seed(given))


def _seed(given: argparse.Namespace) -> int:
    return int(time.time()) % 1_000_000 if given.seed is None else int(given.seed)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__, formatter_class=raw)
    parser.add_argument("what", choices=[*KINDS, "bugs", "report"])
    parser.add_argument("folder", nargs="?", type=Path, help="for report: the folder of the run")
    parser.add_argument("--seed", type=int, help="another every time, if none is given; it is printed")
    parser.add_argument("--orders", type=int, help="orders at least")
    parser.add_argument("--rate", type=float, help="orders a second")
    parser.add_argument("--kills", type=int, help="kills and stops, besides those at failpoints")
    parser.add_argument("--spacing", type=float, help="seconds from one fault's begin to the next one's, at least")
    parser.add_argument("--minutes", type=float, help="no fault and no order is begun later than this")
    parser.add_argument("--baskets", type=int, help="different baskets, which are ordered over and over")
    parser.add_argument("--soak", action="store_true", help="a full disk too, and a flood of poison at the end")
    parser.add_argument("--failpoint", action="append", default=[], metavar="NAME", help="kill there; or all")
    parser.add_argument("--bug", help="a seeded bug to switch on")
    parser.add_argument("--home", type=Path, help="folder of the run; a temporary one, if none is given")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder even if all is well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
