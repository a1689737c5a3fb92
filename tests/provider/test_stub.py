"""The stub honors keys, keeps its ledger through kill -9, and goes wrong only when told to."""

import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx2
import pytest

from tests.provider.stub import StubProcess


def test_a_replay_says_so_and_brings_the_same_bytes(stub: StubProcess, payment: str) -> None:
    first = stub.authorize(payment, reference=payment)
    again = stub.authorize(payment, reference=payment)

    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_at_the_same_time_is_one_entry(stub: StubProcess, payment: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stub.authorize(payment, reference=payment), range(8)))

    assert len({answer.content for answer in answers}) == 1
    assert stub.operations(payment) == ["authorize"]


def test_a_key_with_another_body_is_unprocessable(stub: StubProcess, payment: str) -> None:
    stub.authorize(payment, 1000)
    assert stub.authorize(payment, 1001).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"amount": -1}, {"amount": 1, "currency": "euro", "token": "t", "reference": "r"}]
)
def test_a_body_that_makes_no_sense_is_told_so(stub: StubProcess, payment: str, body: dict[str, object]) -> None:
    answer = stub.post("/v1/authorizations", payment, body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request")


def test_a_request_without_a_key_is_told_so(stub: StubProcess) -> None:
    assert stub.client.post("/v1/authorizations", json={}).json()["error"]["code"] == "idempotency_key_missing"


def test_conflicts_have_their_status(stub: StubProcess, payment: str) -> None:
    auth = stub.authorize(f"a-{payment}").json()["id"]
    capture = stub.post(f"/v1/authorizations/{auth}/capture", f"c-{payment}", {"amount": 1000}).json()["id"]

    assert stub.post(f"/v1/authorizations/{auth}/void", f"v-{payment}", {}).status_code == 409
    assert stub.post(f"/v1/captures/{capture}/refunds", f"r-{payment}", {"amount": 1001}).status_code == 422


def test_a_fault_can_be_for_one_operation_and_so_many_requests(stub: StubProcess, payment: str) -> None:
    stub.mode("error500", operation="capture", next=1)
    auth = stub.authorize(f"a-{payment}").json()["id"]

    path, body = f"/v1/authorizations/{auth}/capture", {"amount": 1000}
    assert stub.post(path, f"c-{payment}", body).status_code == 500
    assert stub.post(path, f"c-{payment}", body).status_code == 200


def test_a_probable_fault_follows_from_seed_and_key_whatever_the_order(stub: StubProcess, payment: str) -> None:
    def statuses(numbers: list[int]) -> list[int]:
        return [stub.authorize(f"{n}-{payment}", reference=payment).status_code for n in numbers]

    stub.mode("error500", probability=0.5, seed=7)
    forward = statuses(list(range(20)))
    stub.mode("error500", probability=0.5, seed=7)
    backward = statuses(list(reversed(range(20))))

    assert set(forward) == {200, 500}
    assert backward[::-1] == forward


def test_an_unknown_mode_is_told_so(stub: StubProcess) -> None:
    assert stub.client.put("/v1/mode", json={"mode": "sulk"}).status_code == 400


def test_the_ledger_survives_kill_9_and_knows_its_keys(tmp_path: Path, payment: str) -> None:
    with StubProcess(tmp_path / "ledger.jsonl") as stub:
        auth = stub.authorize(f"a-{payment}", reference=payment).json()["id"]
        path, body = f"/v1/authorizations/{auth}/capture", {"amount": 1000}
        first = stub.post(path, f"c-{payment}", body)
        stub.kill()
        with stub.ledger.open("ab") as file:
            file.write(b'{"seq":3,"at":"cut sho')  # a write that the kill cut short

        stub.start()
        again = stub.post(path, f"c-{payment}", body)
        refund = stub.post(f"/v1/captures/{first.json()['id']}/refunds", f"r-{payment}", {"amount": 1000})

        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
        assert refund.status_code == 200
        assert stub.operations(payment) == ["authorize", "capture", "refund"]
        totals = stub.client.get("/v1/totals").json()
    assert totals["captured_twice"] == []
    assert totals["currencies"]["EUR"]["captured"] == totals["currencies"]["EUR"]["refunded"] == 1000
    assert [json.loads(line)["seq"] for line in stub.ledger.read_text().splitlines()] == [1, 2, 3]


def test_killed_under_load_it_remembers_all_that_it_answered(tmp_path: Path) -> None:
    answered: Queue[str] = Queue()

    def load(stub: StubProcess, worker: int) -> None:
        with suppress(httpx2.TransportError):
            for n in range(10_000):
                stub.authorize(f"{worker}-{n}", reference=f"{worker}-{n}")
                answered.put(f"{worker}-{n}")

    with StubProcess(tmp_path / "ledger.jsonl") as stub:
        with ThreadPoolExecutor(4) as pool:
            for worker in range(4):
                pool.submit(load, stub, worker)
            heard = {answered.get(timeout=20) for _ in range(200)}
            stub.kill()
        heard |= set(answered.queue)
        stub.start()
        assert heard <= {entry["reference"] for entry in stub.entries()}


@pytest.fixture
def listener() -> Iterator[tuple[str, "Queue[tuple[dict[str, str], bytes]]"]]:
    heard: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhooks_are_signed_and_a_repeated_one_has_the_same_id(
    tmp_path: Path, listener: tuple[str, "Queue[tuple[dict[str, str], bytes]]"]
) -> None:
    url, heard = listener
    with StubProcess(tmp_path / "ledger.jsonl", "--webhook", url, "--webhook-secret", "whsec_test") as stub:
        stub.authorize("twice", 4_000_777)
        headers, body = heard.get(timeout=10)
        again, _ = heard.get(timeout=10)

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(b"whsec_test", signed, hashlib.sha256).digest()
    assert b64decode(headers["webhook-signature"].removeprefix("v1,")) == expected
    assert again["webhook-id"] == headers["webhook-id"]
    assert json.loads(body)["type"] == "payment.authorized"
