"""Minimum is how often a run of some size must hit each window; below it, it has shown too little to be green.

About a third of what such runs hit, so that chance alone does not make one inconclusive.
"""

from collections.abc import Sequence

LARGE = 20
"""Kills from which on a run is large enough to demand anything."""

PER_KILL = {
    "claims_after_kill": 1.0,
    "payment_in_flight_at_kill": 0.1,
}
PER_THOUSAND_ORDERS = {
    "duplicate_suppressed": 50,
    "compensation_after_capture": 20,
    "answer_lost_after_capture": 5,
    "oversell_refused": 8,
    "command_unknown_then_applied": 2,
    "declined": 5,
}
DONE = 0.7
"""Of the kills and stops that were planned beside those at failpoints: on a busy machine the time is over sooner."""
ONCE = ("stale_append_ignored", "mail_repeated_to_server", "poison_parked")


def minimum(orders: int, kills: int, failpoints: Sequence[str]) -> dict[str, int]:
    """The least hits by window, for a run of so many orders, kills and stops; every failpoint must be reached."""
    reached = {f"failpoint:{name}": 1 for name in failpoints}
    if kills < LARGE:
        return reached
    wanted = reached | {"kills_or_stops": int(DONE * kills) + len(failpoints)}
    wanted |= {name: int(kills * each) for name, each in PER_KILL.items()}
    wanted |= {name: int(orders * each / 1000) for name, each in PER_THOUSAND_ORDERS.items()}
    return wanted | dict.fromkeys(ONCE, max(1, kills // 100))
