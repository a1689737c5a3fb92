"""Bugs where the outside is met: the provider, the mail server, clients, and bytes that make no sense."""

from typing import Any
from uuid import uuid4

from aggregates.stage import Incoming, Stage
from api.lanes import Lane
from events.log import Draft
from projections import journals
from schemas.parking import ParkRecord
from tests.faults.bugs.put import Put, launch
from workers import mail, payment
from workers.caller import Caller


def provider_key_random(put: Put) -> None:
    """The provider is asked under a new idempotency key at every attempt (rule 6).

    Breaks money.one_capture and money.kept_is_owed. Seen when an answer of the provider gets lost (its mode
    lose_answer, a link that loses it, failpoint provider.answered).
    """
    attempt = Caller._attempt

    async def anew(self: Caller, path: str, key: str, body: bytes) -> Any:
        return await attempt(self, path, str(uuid4()), body)

    put(Caller, "_attempt", anew)
    put(payment, "key_of", lambda *_: str(uuid4()))


def mail_id_random(put: Put) -> None:
    """A mail gets a new Message-ID at every attempt.

    Breaks notifications.at_most_once. Seen when the server fails after accepting (its mode drop, failpoint
    mail.accepted).
    """
    put(mail, "message_id", lambda _, sender: f"<{uuid4()}@{sender.rpartition('@')[2]}>")


def poison_skipped(put: Put) -> None:
    """What makes no sense is passed over, and nobody hears of it.

    Breaks letters.all_poison. Seen when there is poison.
    """
    handle, dead_letter = Stage.handle, journals._dead_letter

    def silent(self: Stage, incoming: Incoming) -> None:
        if incoming.command is not None and not isinstance(incoming.command, ParkRecord):
            handle(self, incoming)

    put(Stage, "handle", silent)
    put(journals, "_dead_letter", lambda *args: None if args[-1].event is None else dead_letter(*args))


def api_answers_early(put: Put) -> None:
    """A client is told 202 while its command is only on its way to the log.

    Breaks clients.accepted_has_outcome. Seen when the API is killed just then (failpoint api.sending), or the broker is
    gone for longer than a producer waits.
    """
    append = Lane.append

    async def hasty(self: Lane, draft: Draft) -> int:
        launch(append(self, draft))
        return 0

    put(Lane, "append", hasty)


BUGS = (provider_key_random, mail_id_random, poison_skipped, api_answers_early)
