"""The plan says what will go wrong and when; it is written before anything does, and follows from the seed alone."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.faults.world import API, LAYOUT, SESSION_MS, TARGETS

WORKERS = tuple("-".join(("worker", *contexts)) for contexts in LAYOUT)
SESSION = SESSION_MS / 1000

DEADLY = {
    ("kill", "worker-order"): 4,
    ("kill", "worker-product"): 4,
    ("kill", "worker-payment"): 5,
    ("kill", "worker-user-notification"): 3,
    ("kill", API): 4,
    ("kill", "provider"): 1,
    ("kill", "mailbox"): 1,
    ("stop", "worker-order"): 1.5,
    ("stop", "worker-product"): 1.5,
    ("stop", "worker-payment"): 2,
    ("stop", "worker-user-notification"): 1,
    ("stop", API): 1,
}
"""Kills and stops, and how often each comes."""

BETWEEN = {
    "broker-kill": 0.04,
    "postgres-immediate": 0.04,
    "postgres-fast": 0.03,
    "postgres-backends": 0.04,
    "rebalance": 0.05,
    "checkpoint": 0.04,
    "snapshots": 0.05,
    "clock": 0.04,
    "zombie": 0.05,
    "poison": 0.04,
}
"""What else goes wrong, in cases for each kill; at least one of each."""

BESIDE = {
    "provider-mode": 5,
    "mail-mode": 2,
    "cut": 3,
    "delay": 3,
    "slow": 2,
    "lose-answer": 5,
    "poison": 4,
}
"""What goes wrong at the same time as something else, and how often."""
HOMES = {
    "writer.polled": "worker-order",  # clients' commands come by the topic, those of reactions need not
    "api": API,
    "provider": "worker-payment",
    "mail": "worker-user-notification",
    "agent": "worker-user-notification",
}
"""Where a failpoint is reached, by its name or the first word of it; what is not listed, any worker reaches, but users
and notifications have no reactions of this kind."""

STOPPED = {"provider.answered": "worker-payment", "writer.decided": "worker-order"}
"""Moments at which a process is stopped too, where all are killed, until another has taken its place."""

ZOMBIES = ("writer.decided", "append.in_flight", "writer.written")
"""Moments at which a writer that stops has something in hand."""

DISKS, FLOOD = 3, 100_000
"""In a soak: how often the disk is full, and the records of poison at the end."""

SHARE_BESIDE = 0.5
"""The share of steps that have something beside them."""

PROVIDER = ("lose_answer", "lose_answer", "error500", "busy", "timeout", "slow")
MAIL = ("busy", "drop", "drop", "down", "slow")


class Step(Struct, frozen=True):
    """One fault: what, to whom, for how long; begun no sooner than `after` seconds after the one before it.

    A chain has several, one as soon as the one before it is over, whatever goes on beside the chain.
    """

    fault: str
    target: str = ""
    seconds: float = 0.0
    detail: dict[str, Any] = {}
    beside: "Step | None" = None
    chain: tuple["Step", ...] = ()
    after: float = 0.0


def make(seed: int, kills: int, spacing: float, failpoints: Sequence[str] = (), soak: bool = False) -> list[Step]:
    """So many kills and stops with all the rest between and beside them, `spacing` seconds apart; failpoints first.

    A soak has more: a full disk, and at its end a flood of poison.
    """
    rng = Random(f"{seed}/plan")
    random = [*_deadly(rng, kills), *_between(rng, kills)]
    if soak:
        random += [Step("disk-full", "kafka", rng.uniform(4, 8)) for _ in range(DISKS)]
    rng.shuffle(random)
    steps = [replace(step, after=spacing) for step in _accompanied(rng, random)]
    flood = [Step("flood", detail={"seed": seed, "records": FLOOD})] if soak else []
    return [*_failpoints(rng, failpoints), *steps, *flood]


def _failpoints(rng: Random, names: Sequence[str]) -> Iterator[Step]:
    """One process after the other: after each kill it comes back with its next failpoint armed."""
    lives: dict[str, list[Step]] = {}
    for number, name in enumerate(names):
        kind = name.partition(".")[0]
        process = HOMES.get(name) or HOMES.get(kind) or WORKERS[number % (3 if kind == "reaction" else 4)]
        # Some moments come only at the start, or only when an order is called off.
        most = 1 if name.startswith(("claim", "provider", "agent")) else 4
        detail = {"process": process, "action": "kill", "reach": rng.randint(1, most)}
        lives.setdefault(process, []).append(Step("failpoint", name, detail=detail))
    chains = {process: _chained(steps) for process, steps in lives.items()}
    # Those that the way of an order does not lead through are hurt at the same time as those on the way. Neither row
    # waits for the other: an armed process is down from its moment until its own row comes to it.
    aside = [step for process in (WORKERS[3], API) for step in chains.pop(process, [])]
    way = [step for chain in chains.values() for step in chain]
    rows = [Step("chain", chain=tuple(row)) for row in (way, aside) if row]
    if rows:
        yield replace(rows[0], beside=rows[1] if rows[1:] else None)
    for name, process in STOPPED.items():
        if name in names:
            detail = {"process": process, "action": "stop", "reach": rng.randint(1, 4)}
            yield Step("failpoint", name, detail=detail)


def _chained(steps: Sequence[Step]) -> list[Step]:
    """Each with what its process is to be armed with next."""
    following = [spec_of(step) for step in steps[1:]]
    chained = [
        replace(step, detail={**step.detail, "next": after}) for step, after in zip(steps, following, strict=False)
    ]
    return [*chained, steps[-1]]


def spec_of(step: Step) -> str:
    """A failpoint as the environment takes it."""
    return f"{step.target}@{step.detail['reach']}:{step.detail['action']}"


def _deadly(rng: Random, kills: int) -> Iterator[Step]:
    # Every role is hurt before any is hurt again: a short run must not miss one by chance.
    drawn = list(DEADLY) if kills >= len(DEADLY) else rng.sample(list(DEADLY), kills)
    drawn += rng.choices(list(DEADLY), list(DEADLY.values()), k=kills - len(drawn))
    for fault, target in drawn:
        if fault == "kill":
            down = rng.uniform(1, 6) if target in ("provider", "mailbox") else rng.choice((0.0, 0.0, rng.uniform(0, 2)))
            yield Step("kill", target, detail={"down": round(down, 2)})
        elif target == API:
            yield Step("stop", target, rng.uniform(0.5, 4))
        else:
            # Past its session time-out; where another process has taken its place meanwhile, it wakes up as a zombie.
            detail = {"replaced": rng.random() < 0.6}
            yield Step("stop", target, SESSION * rng.uniform(1.1, 1.8), detail)


def _between(rng: Random, kills: int) -> Iterator[Step]:
    if not kills:
        return
    contexts = ("order", "product", "payment", "notification")
    for fault, share in BETWEEN.items():
        for _ in range(max(1, round(kills * share))):
            match fault:
                case "broker-kill" | "postgres-immediate" | "postgres-fast":
                    yield Step(fault, "kafka" if fault == "broker-kill" else "postgres", rng.uniform(0, 4))
                case "postgres-backends":
                    yield Step(fault, "postgres")
                case "rebalance":
                    yield Step(fault, rng.choice(WORKERS), rng.uniform(3, 8), {"gently": rng.random() < 0.5})
                case "zombie":
                    # It stops with a decision in hand, and writes it when another has taken its place.
                    reach = rng.randint(1, 20)
                    detail = {"process": rng.choice(WORKERS[:3]), "action": "stop", "reach": reach}
                    yield Step("failpoint", rng.choice(ZOMBIES), detail=detail)
                case "poison":
                    yield Step(fault, "", rng.uniform(2, 4), {"seed": rng.randrange(10**6), "records": 30})
                case "checkpoint":
                    yield Step(fault, rng.choice(contexts), detail={"how": "delete"})
                case "snapshots":
                    how = rng.choice(("delete", "delete some", "spoil", "forget where", "spoil where"))
                    yield Step(fault, rng.choice(contexts), detail={"how": how, "kill": rng.random() < 0.7})
                case "clock":
                    far = rng.choice((600, -600, 600, -600, 3000, -3000))
                    yield Step(fault, rng.choice(WORKERS[:3]), rng.uniform(3, 8), {"offset": far})


def _accompanied(rng: Random, steps: list[Step]) -> list[Step]:
    """A share of the steps have something beside them; each kind of it comes before any comes again."""
    count = round(len(steps) * SHARE_BESIDE)
    kinds = list(BESIDE)[:count] + rng.choices(list(BESIDE), list(BESIDE.values()), k=max(0, count - len(BESIDE)))
    for fault, number in zip(kinds, rng.sample(range(len(steps)), count), strict=True):
        seconds = round(rng.uniform(2, 6), 2)
        beside = Step(fault, _target_of(rng, fault), seconds, _detail_of(rng, fault))
        steps[number] = replace(steps[number], beside=beside)
    return steps


def _target_of(rng: Random, fault: str) -> str:
    match fault:
        case "provider-mode":
            return "provider"
        case "mail-mode":
            return "mailbox"
        case "poison":
            return ""
        case "lose-answer":
            # Where a lost answer hurts most: money, and what a client was promised.
            return rng.choice(("worker-provider", "worker-provider", "client-api", "client-api", *TARGETS))
        case _:
            return rng.choice(tuple(TARGETS))


def _detail_of(rng: Random, fault: str) -> dict[str, Any]:
    match fault:
        case "provider-mode":
            mode = rng.choice(PROVIDER)
            return {"mode": mode, "probability": 0.5, "seed": rng.randrange(10**6), "ms": rng.randint(200, 1500)}
        case "mail-mode":
            return {"mode": rng.choice(MAIL)}
        case "cut":
            return {"how": rng.choice(("reset", "silent"))}
        case "delay":
            return {"delay": round(rng.uniform(0.01, 0.3), 3)}
        case "slow":
            return {"rate": rng.choice((10_000, 30_000, 100_000))}
        case "lose-answer":
            return {"answers": rng.randint(1, 8)}
        case _:
            return {"seed": rng.randrange(10**6), "records": rng.randint(2, 10)}
