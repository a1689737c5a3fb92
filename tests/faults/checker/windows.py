"""Windows are the moments in which a fault is interesting: how often did it really hit one?

A run in which a window was hit less often than evidence.json demands is inconclusive: it has shown nothing about it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median

from tests.faults.checker.evidence import Fault
from tests.faults.checker.reading import World

SERVERS = ("broker-kill", "postgres-immediate")
"""Kills of servers, which are counted apart from those of our processes."""

LOST_AMOUNT = 4_000_999
"""The magic amount whose first capture is done and its answer lost (the provider's documentation)."""

SOON = 30.0
"""Seconds after a kill in which a claim is taken for its consequence."""


def windows(world: World) -> Counter[str]:
    """Every window by name, with the number of hits."""
    found: Counter[str] = Counter()
    faults = world.evidence.faults
    for fault in faults:
        found[f"fault:{fault.kind}"] += 1
        if done := _ended(fault):
            found["kills_or_stops"] += 1
            found[done] += 1
            found[f"{done}:{fault.detail.get('process') or fault.target}"] += 1
        if fault.kind == "failpoint":
            found[f"failpoint:{fault.target}"] += 1
    for name in ("claims_lost", "stale_append_ignored", "client_command_written_again",
                 "reaction_command_written_again"):  # fmt: skip
        found[name] = world.counts[name]
    _clients(world, found)
    _money(world, found)
    _claims(world, found)
    found["oversell_refused"] = world.products.refused_for_want
    found["mail_repeated_to_server"] = sum(mail.repeats for mail in world.evidence.mails)
    found["mail_refused"] = sum(message.status == "refused" for message in world.messages.all.values())
    found["poison_parked"] = sum(place in world.parked for place in world.evidence.poison)
    events = [place for place in world.evidence.poison if place[0].endswith(".events")]
    found["poison_ignored"] = sum(place not in world.forged for place in events)
    found["poison_that_counts"] = len(world.forged)
    return found


def _clients(world: World, found: Counter[str]) -> None:
    for request in world.evidence.requests:
        outcomes = world.outcomes.get(request.command_id, ())
        if len(request.attempts) > 1 and len(outcomes) == 1:
            found["duplicate_suppressed"] += 1
        if request.unclear:
            changed = any(outcome.fact.version for outcome in outcomes)
            found["command_unknown_then_applied" if changed else "command_unknown_without_effect"] += 1
        found["request_refused_at_the_door"] += not outcomes and not request.accepted and not request.unclear


def _money(world: World, found: Counter[str]) -> None:
    payments = world.payments.all.values()
    asked = [(p.requested, p.authorized or p.declined) for p in payments if p.requested]
    asked += [(p.wanted_capture, p.captured) for p in payments if p.wanted_capture]
    at_kills = _kills(world)
    hits = _under_way(asked, at_kills)
    found["payment_in_flight_at_kill"] = sum(hit > 0 for hit in hits)
    found["payments_in_flight_at_kills"] = sum(hits)
    found["answer_lost_after_capture"] = _answers_lost(world)
    for order in world.orders.all.values():
        payment = world.payments.all.get(order.order_id)
        taken = world.ledger.done(order.order_id, "capture")
        found["compensation_after_capture"] += bool(
            order.over and taken and world.ledger.done(order.order_id, "refund")
        )
        found["void_after_late_answer"] += bool(payment and payment.off_while == "requested" and payment.voided)
        found["declined"] += bool(payment and payment.declined)
        if not (taken and payment and payment.captured):
            continue
        told, recorded = _seconds(taken[0]["at"]), payment.captured / 1000
        found["killed_between_capture_and_record"] += bisect_right(at_kills, recorded) > bisect_left(at_kills, told)


def _claims(world: World, found: Counter[str]) -> None:
    kills = _kills(world)
    found["claims"] = len(world.claims)
    for claim in world.claims:
        before = bisect_right(kills, claim.at)
        found["claims_after_kill"] += bool(before and claim.at - kills[before - 1] <= SOON)


def _under_way(spans: Iterable[tuple[int, int]], moments: Sequence[float]) -> list[int]:
    """How many spans (milliseconds; an end of 0 never came) were open at each moment (seconds)."""
    spans = list(spans)
    began = sorted(begin / 1000 for begin, _ in spans)
    ended = sorted(end / 1000 for _, end in spans if end)
    return [bisect_left(began, moment) - bisect_left(ended, moment) for moment in moments]


def _answers_lost(world: World) -> int:
    """Captures that were done and had to be asked for again, as their answer was lost.

    Those of the magic amount always; of those made while answers were being lost, the ones that we recorded much later
    than is usual.
    """
    losing = [fault for fault in world.evidence.faults if _loses_answers(fault)]
    lost, usual, doubtful = 0, list[float](), list[float]()
    for order_id, payment in world.payments.all.items():
        taken = world.ledger.done(order_id, "capture")
        if not (taken and payment.captured):
            continue
        told = _seconds(taken[0]["at"])
        lag = payment.captured / 1000 - told
        if payment.amount == LOST_AMOUNT:
            lost += 1
        elif any(fault.at <= told <= fault.until for fault in losing):
            doubtful.append(lag)
        else:
            usual.append(lag)
    limit = 2 * median(usual) if usual else 0.0
    return lost + sum(lag > limit for lag in doubtful)


def _ended(fault: Fault) -> str:
    """Whether a process of ours was killed or stopped: `kills`, `stops`, or nothing."""
    how = fault.detail.get("action", "kill") if fault.kind == "failpoint" else fault.kind
    return f"{how}s" if how in ("kill", "stop") else ""


def _kills(world: World) -> list[float]:
    """When processes and servers were killed or stopped, in order."""
    return sorted(fault.at for fault in world.evidence.faults if _ended(fault) or fault.kind in SERVERS)


def _loses_answers(fault: Fault) -> bool:
    said = f"{fault.target} {fault.detail}"
    if fault.kind == "provider-mode":
        return "lose_answer" in said
    return fault.kind == "lose-answer" and ("provider" in said or not fault.target)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
