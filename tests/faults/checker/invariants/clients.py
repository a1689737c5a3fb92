"""What clients were promised: every accepted command counts once, and what they were told is true."""

from collections.abc import Iterator
from typing import Any

from tests.faults.checker.contexts import LETTERS, PARKED, RULES_SAID_NO
from tests.faults.checker.evidence import OK, REFUSED, Attempt, Request, key_of
from tests.faults.checker.findings import Fact, Violation
from tests.faults.checker.folds.order import line_of
from tests.faults.checker.reading import Outcome, World

PLACED = "order.placed.v1"
DEFAULTS = {"currency": "EUR", "payment_token": "tok_visa"}
"""What an order has that does not say."""


def accepted_has_outcome(world: World) -> Iterator[Violation]:
    """A clear yes is a promise: the log must know the command."""
    for request in world.evidence.requests:
        if request.accepted and request.command_id not in world.outcomes:
            said = f"{request.kind} {request.command_id} was accepted, and the log has no outcome of it"
            yield _of(request, "clients.accepted_has_outcome", said)


def one_outcome(world: World) -> Iterator[Violation]:
    """Within a partition this was seen during the pass; here, that no two partitions have handled one command."""
    for command_id, outcomes in world.outcomes.items():
        places = {(outcome.context, outcome.fact.partition) for outcome in outcomes}
        if len(places) > 1:
            request = world.asked.get(command_id)
            promise = "clients.unknown_at_most_once" if request and request.unclear else "clients.one_outcome"
            yield _at(outcomes[1].fact, promise, f"command {command_id} has outcomes in {len(places)} partitions")


def one_command_a_key(world: World) -> Iterator[Violation]:
    """All answers to one key name one command."""
    for request in world.evidence.requests:
        told = {attempt.command_id for attempt in request.attempts if attempt.command_id}
        if len(told) > 1:
            yield _of(request, "clients.one_outcome", f"one key, and the commands {', '.join(sorted(told))}")


def no_ghost(world: World) -> Iterator[Violation]:
    """Whatever a client's command has changed must have been asked for."""
    for command_id, outcomes in world.outcomes.items():
        fact = outcomes[0].fact
        if outcomes[0].context not in ("order", "product", "payment") or fact.kind in (*PARKED, *LETTERS):
            continue
        if command_id not in world.asked and not _of_poison(world, outcomes[0]):
            yield _at(fact, "clients.no_ghost", f"{fact.kind} by command {command_id}, which nobody sent")


def refused_has_no_effect(world: World) -> Iterator[Violation]:
    """A no at the door is a promise, too: unless another attempt under the same key came through."""
    for request in world.evidence.requests:
        if not request.attempts or not all(_refused_at_the_door(attempt) for attempt in request.attempts):
            continue
        for outcome in world.outcomes.get(request.command_id, ()):
            said = f"{request.attempts[0].code} was the answer, and {outcome.fact.kind} was recorded"
            yield _at(outcome.fact, "clients.refused_has_no_effect", said)


def answers_are_true(world: World) -> Iterator[Violation]:
    """What a client was told is what the log says."""
    for request in world.evidence.requests:
        outcomes = world.outcomes.get(request.command_id, ())
        if request.command_id in world.became:
            continue  # set aside and then handled, it has had two answers, each true in its time
        for attempt in request.attempts:
            if false := _false(attempt, outcomes[0] if outcomes else None):
                yield _of(request, "clients.answers_are_true", false, attempt)
            elif attempt.outcome == OK and "total" in attempt.answer and "order_id" in attempt.answer:
                order = world.orders.all.get(attempt.answer["order_id"])
                if order is not None and attempt.answer["total"] not in order.totals:
                    said = f"told a total of {attempt.answer['total']}, it is {order.total}"
                    yield _of(request, "clients.answers_are_true", said, attempt)


def as_asked(world: World) -> Iterator[Violation]:
    """An order has the lines, prices, and circumstances that were asked for; a refund its amount."""
    for order in world.orders.all.values():
        request = world.asked.get(key_of(order.asked))
        if request is None:
            continue  # a ghost, or of poison: told elsewhere
        body = {**DEFAULTS, **request.body}
        lines = [line_of(line) for line in body.get("lines", [])]
        asked: dict[str, Any] = {name: body.get(name) for name in ("customer_id", "email", "currency")}
        if order.email.startswith(f"sealed.v1.{order.customer_id}.email."):
            asked["email"] = order.email  # what it says, the mailbox tells
        found = {"customer_id": order.customer_id, "email": order.email, "currency": order.currency}
        if lines != order.placed_lines or asked != found or body["payment_token"] != order.token:
            yield _of(request, "clients.as_asked", "the order recorded is not the order asked for")
        if request.target and request.target != order.order_id:
            yield _of(request, "clients.as_asked", f"order {order.order_id} was recorded for {request.target}")
    yield from _amended_as_asked(world)
    for request in world.evidence.requests:
        amount = request.body.get("amount") if request.kind == "refund" else None
        for outcome in world.outcomes.get(request.command_id, ()) if amount is not None else ():
            if outcome.fact.kind == "payment.refund_requested.v1" and outcome.fact.body["amount"] != amount:
                said = f"{amount} to be refunded, {outcome.fact.body['amount']} recorded"
                yield _at(outcome.fact, "clients.as_asked", said)


def _amended_as_asked(world: World) -> Iterator[Violation]:
    for request in world.evidence.requests:
        for outcome in world.outcomes.get(request.command_id, ()) if request.kind == "amend" else ():
            if outcome.fact.kind == "order.amended.v1":
                lines = [line_of(line) for line in outcome.fact.body["lines"]]
                if any(line_of(line) not in lines for line in request.body["lines"]):
                    yield _at(outcome.fact, "clients.as_asked", "the amendment recorded is not the one asked for")


CHECKS = (accepted_has_outcome, one_outcome, one_command_a_key, no_ghost, refused_has_no_effect, answers_are_true,
          as_asked)  # fmt: skip


def _refused_at_the_door(attempt: Attempt) -> bool:
    return attempt.outcome == REFUSED and attempt.code not in RULES_SAID_NO


def _false(attempt: Attempt, outcome: Outcome | None) -> str:
    """Why an answer is not true; empty if it is, or says nothing."""
    if attempt.outcome == REFUSED and attempt.code in RULES_SAID_NO:
        if outcome is None:
            return f"told {attempt.code}, and the log has no outcome"
        if outcome.code != attempt.code:
            return f"told {attempt.code}, and the log says {outcome.code or outcome.fact.kind}"
    if attempt.outcome == OK and attempt.status in (200, 201) and outcome is not None:
        if outcome.fact.kind in ("command.rejected.v1", *PARKED):
            return f"told {attempt.status}, and the log says {outcome.code or outcome.fact.kind}"
        if attempt.status == 201 and outcome.fact.kind == "command.unchanged.v1":
            return "told that it was created, and the log says that nothing has changed"
    return ""


def _of_poison(world: World, outcome: Outcome) -> bool:
    fact = outcome.fact
    return (f"{outcome.context}.commands", fact.partition, fact.position) in world.evidence.poison


def _of(request: Request, promise: str, said: str, attempt: Attempt | None = None) -> Violation:
    asked = attempt or request.attempts[0]
    return Violation(promise, request.target or request.key, said, asked.answered or asked.at, f"request {asked.n}")


def _at(fact: Fact, promise: str, said: str) -> Violation:
    order_id = fact.body.get("order_id")
    subject = order_id if isinstance(order_id, str) else fact.stream.removeprefix("order-").removeprefix("product-")
    return Violation(promise, subject, said, fact.timestamp / 1000, fact.place)
