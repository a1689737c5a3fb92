"""A mail says what was sealed; to who has been erased nothing is sent, and no answer of a server tells who they are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from projections.person_keys import KeysInMemory, PersonKeys
from workers.channel import PLAIN, ByChannel, Delivered, MailUnavailable, Manner, Refused
from workers.mail import InProcessMailbox
from workers.opening import Opening

pytestmark = pytest.mark.anyio

ADA = "ada@example.org"


async def sealed(keys: PersonKeys, field: str, text: str) -> str:
    return (await keys.key("ada")).seal(field, text)


async def sent(mailer: Opening, keys: PersonKeys) -> Delivered | Refused:
    params = {"order_id": "A", "items": [{"sku": "figs", "quantity": 1, "accepted": True}], "total": 150}
    params |= {"currency": "EUR", "note": await sealed(keys, "note", "opened & eaten")}
    recipient = await sealed(keys, "email", ADA)
    return await mailer.deliver("n-1", "email", recipient, "order_return_received", params)


async def test_recipient_and_whatever_is_sealed_inside_are_opened_as_the_mail_leaves() -> None:
    mailbox, keys = InProcessMailbox(), PersonKeys(KeysInMemory())
    assert isinstance(await sent(Opening(ByChannel({"email": mailbox}), keys.opened), keys), Delivered)
    [letter] = mailbox.of("n-1")
    assert letter.recipient == ADA
    assert "opened & eaten" in letter.text


async def test_nothing_is_sent_to_who_has_been_erased() -> None:
    mailbox, keys = InProcessMailbox(), PersonKeys(KeysInMemory())
    recipient = await sealed(keys, "email", ADA)
    await keys.destroy("ada")
    mailer = Opening(ByChannel({"email": mailbox}), keys.opened)
    answer = await mailer.deliver("n-1", "email", recipient, "welcome", {"name": "x"})
    assert answer == Refused("the recipient has been erased")
    assert mailbox.letters == {}


async def test_where_a_key_is_lost_the_mail_waits() -> None:
    recipient = await sealed(PersonKeys(KeysInMemory()), "email", ADA)
    mailer = Opening(ByChannel({"email": InProcessMailbox()}), PersonKeys(KeysInMemory()).opened)
    with pytest.raises(MailUnavailable, match="no key of ada"):
        await mailer.deliver("n-1", "email", recipient, "welcome", {"name": "x"})


class Talkative:
    """A server that names people in what it says."""

    def __init__(self, later: bool) -> None:
        self._later = later

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        mailbox = recipient.partition("@")[0]
        said = f"550 <{recipient.upper()}> {params['note']}: {mailbox} unknown"
        if self._later:
            raise MailUnavailable(said)
        return Refused(said)

    async def aclose(self) -> None:
        """Nothing to let go."""


@pytest.mark.parametrize("later", [False, True])
async def test_what_a_server_says_of_a_person_is_neither_recorded_nor_logged(later: bool) -> None:
    keys = PersonKeys(KeysInMemory())
    mailer = Opening(ByChannel({"email": Talkative(later)}), keys.opened)
    try:
        answer = await sent(mailer, keys)
        said = answer.reason if isinstance(answer, Refused) else ""
    except MailUnavailable as error:
        said = str(error)
    assert said == "550 <…> …: … unknown"
