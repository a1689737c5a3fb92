"""The push provider to play with takes what our channels send, and the run's mail command shows what came over each."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.stub.app import create
from schemas.settings import Settings
from tests.api.entries import serving
from tests.builders.notification import MAIL, PARAMS, PHONE
from tests.mail.mailbox import free_port
from workers.channel import Delivered, Mailer, Refused
from workers.compose import mailer_of
from workers.local import push_keys
from workers.mailbox import store
from workers.outside import Outside
from workers.post import PUSHES, SMS, came

pytestmark = pytest.mark.anyio


class Ground:
    """A local run's folder, its stand-ins, and a mailer as its workers have it."""

    def __init__(self, home: Path, url: str, mailer: Mailer) -> None:
        self.home, self.url, self.mailer = home, url, mailer

    @property
    def browser(self) -> str:
        return (self.home / "push" / push_keys.SUBSCRIPTION).read_text()

    async def push(self, channel: str, address: str) -> Delivered | Refused:
        return await self.mailer.deliver(MAIL, channel, address, "order_confirmed", PARAMS)


@pytest.fixture
async def ground(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Ground]:
    folder, port = (tmp_path / PUSHES).parent, free_port()
    named = push_keys.settings_of(folder, f"http://127.0.0.1:{port}", "push.example")
    assert push_keys.settings_of(folder, f"http://127.0.0.1:{port}", "push.example") == named
    said = {name.lower(): value for name, value in named.items()}
    twilio = {"twilio_account": "AC", "twilio_token": "ours", "twilio_url": f"http://127.0.0.1:{port}"}
    settings = Settings.model_validate({"smtp": "in-process", **twilio, **said})
    app = create(tmp_path / "ledger.jsonl", sms=tmp_path / SMS, push=folder)
    async with serving(app, port) as url:
        mailer = mailer_of(settings)
        yield Ground(tmp_path, url, mailer)
        await mailer.aclose()


async def test_what_is_sent_over_each_channel_is_shown_in_the_order_of_its_coming(ground: Ground) -> None:
    order_id = str(PARAMS["order_id"])
    for channel, address in (("sms", PHONE), ("fcm", "phone-1"), ("web", ground.browser)):
        assert isinstance(await ground.push(channel, address), Delivered)
    (ground.home / "mailbox").mkdir()
    store(ground.home / "mailbox", f"Message-ID: <{MAIL}@x>\nTo: ada@x\nSubject: Hello\n\nOrder {order_id}\n".encode())
    shown = came(ground.home, 9)
    assert [(piece.channel, piece.to, piece.title) for piece in shown] == [
        ("sms", PHONE, ""),
        ("push", "phone-1", "Order confirmed"),
        ("push", "browser", "Order confirmed"),
        ("email", "ada@x", "Hello"),
    ]
    assert [piece.channel for piece in came(ground.home, 9, order_id)] == ["sms", "push", "email"]
    assert [piece.channel for piece in came(ground.home, 9, MAIL)] == ["push", "push", "email"]
    assert came(ground.home, 9, order_id, "sms") == shown[:1]
    assert came(ground.home, 1) == shown[-1:]
    assert came(ground.home / "nobody's", 9) == []


async def test_what_is_gone_says_so_as_the_real_ones_do(ground: Ground) -> None:
    assert await ground.push("fcm", "phone-gone") == Refused("fcm: UNREGISTERED", gone=True)
    left = json.dumps({**json.loads(ground.browser), "endpoint": f"{ground.url}/push/gone"})
    answer = await ground.push("web", left)
    assert isinstance(answer, Refused)
    assert answer.gone
    assert not (ground.home / PUSHES).exists()


async def test_nothing_is_taken_that_is_not_signed_for_here(ground: Ground) -> None:
    outside = Outside("fcm", attempts=1)
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}
    assert (await outside.post(f"{ground.url}/token", form=form)).status == 400
    url = f"{ground.url}/v1/projects/orderlog/messages:send"
    assert (await outside.post(url, headers={"Authorization": "Bearer stolen"}, json={})).status == 401
    assert (await outside.post(f"{ground.url}/push/browser", content=b"for nobody")).status == 403
    await outside.aclose()
    assert not (ground.home / PUSHES).exists()
