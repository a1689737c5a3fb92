"""Read models must say what the log says, and what became of every client's command."""

from typing import Any

from aggregates.payment import Payment, Status
from events import payment
from events.envelope import CLIENT
from events.letter import LetterDiscarded, LetterParked
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from projections.postgres import Database
from projections.registry import OUTCOMES
from schemas.values import Command
from tests.scenarios.chronicle import Chronicle
from tests.scenarios.shop import CONTEXT_OF

KEYS = {"order": "order_id", "payment": "order_id", "product": "sku", "notification": "notification_id"}
TABLES = {"order": "orders", "payment": "payments", "product": "products", "notification": "notifications"}
WORDS = {CommandRejected: "rejected", CommandUnchanged: "unchanged", RecordParked: "parked", LetterParked: "parked"}


async def check(context: str, database: Database, chronicle: Chronicle, sent: dict[str, Command]) -> None:
    """One context's read models equal the fold of its log."""
    if context in TABLES:
        found = {stream.split("-", 1)[1]: state for stream, state in chronicle.states(context).items()}
        states = {key: state for key, state in found.items() if not _never_requested(state)}
        rows = await _rows(database, TABLES[context], KEYS[context], list(states))
        assert rows.keys() == states.keys()
        for key, state in states.items():
            _same(context, rows[key], state)
        _same_money(context, rows, chronicle)
    await _outcomes(context, database, chronicle, sent)


async def _rows(database: Database, table: str, key: str, keys: list[str]) -> dict[str, dict[str, Any]]:
    found = await database.fetch(f"SELECT * FROM {table} WHERE {key} = ANY(%(keys)s)", {"keys": keys})
    return {row[key]: row for row in found}


def _same(context: str, row: dict[str, Any], state: Any) -> None:
    match context:
        case "product":
            assert (row["on_hand"], row["held"]) == (state.on_hand, state.held), row
        case "payment":
            assert _money_stands(row, state), (row, state)
        case _:
            assert row["status"] == state.status.value, (row, state)


def _never_requested(state: Any) -> bool:
    """A payment that was cancelled first is remembered by the rules, and shown to nobody."""
    return isinstance(state, Payment) and state.status is Status.UNKNOWN


def _money_stands(row: dict[str, Any], state: Payment) -> bool:
    return bool(row["refunded"] == state.refunded and row["amount"] == state.amount)


def _same_money(context: str, rows: dict[str, dict[str, Any]], chronicle: Chronicle) -> None:
    if context == "payment":
        captured = sum(event.amount for event in chronicle.of(payment.PaymentCaptured))
        assert sum(row["captured"] for row in rows.values()) == captured


async def _outcomes(context: str, database: Database, chronicle: Chronicle, sent: dict[str, Command]) -> None:
    first = {command_id: chronicle.outcomes[command_id][0] for command_id in sent}
    ours = [
        command_id
        for command_id, command in sent.items()
        if CONTEXT_OF[command.tag] == context and first[command_id].envelope.origin == CLIENT
    ]
    found = await database.fetch(OUTCOMES, {"command_ids": ours})
    told = {row["command_id"]: row["status"] for row in found}
    assert told == {command_id: word_of(chronicle, command_id) for command_id in ours}


def word_of(chronicle: Chronicle, command_id: str) -> str:
    """What a client is told: the first outcome, unless it was set aside, and something else has become of it."""
    if became := chronicle.became.get(command_id):
        return "rejected" if isinstance(became, LetterDiscarded) else became.became
    return WORDS.get(type(chronicle.outcomes[command_id][0].event), "accepted")
