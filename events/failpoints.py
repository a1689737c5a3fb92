"""Failpoints are moments at which a test may end or halt the process, to see that nothing is lost just there.

Each name is reached at one place in the code, once per batch and never per record. Nobody is told unless a test has
set `armed` (tests/faults/failpoints.py), which need not return. Unarmed, a call costs 45 ns; an order that comes alone
makes about 90 of them, 4 us beside 40 ms of work, and one that shares its batches with others about ten.
"""

from collections.abc import Callable

FAILPOINTS = {
    "claim.written": "a claim is in the log; who claimed has not read up to it",
    "writer.polled": "commands have been read from their topic; nothing is decided",
    "writer.decided": "a batch is decided; nothing of it is on its way",
    "append.written": "the broker has acked a commit; nobody here has looked at the ack",
    "writer.written": "a commit is known to be effective; state has not advanced",
    "writer.advanced": "state has advanced; the effects that it asks for have not begun",
    "reaction.sending": "some events have been reacted to; their commands have left for nowhere yet",
    "reaction.sent": "their commands are with our writer, or acked by another's topic; the position is not noted",
    "reaction.appended": "one batch of commands for another process's partition is acked; the rest may not be",
    "reaction.noting": "all commands of some events are recorded; the position is not noted",
    "reaction.noted": "the reactor's position is noted",
    "agent.sending": "the Faust agent has reacted; its command is not on its way",
    "agent.sent": "the Faust agent's command is acked; the event is not",
    "provider.asking": "a request to the provider is about to be sent",
    "provider.answered": "the provider has answered; nobody has looked at the answer",
    "provider.authorized": "an authorization is answered; it is not recorded",
    "provider.captured": "a capture is answered; it is not recorded",
    "provider.voided": "a void is answered; it is not recorded",
    "provider.refunded": "a refund is answered; it is not recorded",
    "mail.sending": "a mail is about to be handed to the server",
    "mail.accepted": "the server has accepted a mail; its delivery is not recorded",
    "view.committing": "views and checkpoint are written, in a transaction that is still open",
    "view.committed": "views and checkpoint are committed; the projector does not know",
    "snapshot.committing": "snapshots and resume point are written, in a transaction that is still open",
    "snapshot.committed": "snapshots and resume point are committed; the owner does not know",
    "api.sending": "commands of clients are about to be sent",
    "api.acked": "commands of clients are acked; nobody has been answered",
}
"""Where each name is reached, as the state of the world at that moment."""

armed: Callable[[str], None] | None = None
"""Called with the name of each failpoint that is reached."""


def reach(name: str) -> None:
    """Say that this moment has come."""
    if armed is not None:
        armed(name)
