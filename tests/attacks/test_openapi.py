"""Schemathesis holds the gateway to its OpenAPI document: thousands of requests, good and bad, by every role."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister
from schemathesis.wfc.escalation import restore_identity_assignments

from api.keys import Keyring
from api.tokens import ROLES, Tokens
from schemas.client import Client
from workers.run import Run

pytestmark = pytest.mark.infra
schemathesis.serializer.alias("message/rfc822", "text/plain")

CASES = 2000
CHECKS: dict[str, Any] = {
    # What a schema allows a rule may refuse with a 422: a SKU that is not on sale, a cursor that no list has given. A
    # condition need not hold: 304, 412. Who has been erased is gone: 410. Nobody guesses a signature: 403.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "401", "403", "404", "409", "410", "412", "422"]},
}
"""Where a check is not made as schemathesis has it; all of them are made."""

PEERS = ("ada", "eve")
"""Customers: what one has made, the other must not see."""
SLOW = [f"POST /api/{path}" for path in ("auth/login", "auth/register", "users/me/delete", "users/me/password")]
"""Where passwords are hashed."""
CREATING = ("/api/orders", "/api/products", "/api/auth/register")

CONFIG: dict[str, Any] = {
    "seed": 20261123,
    "cache": {"enabled": False},
    "continue-on-failure": True,
    "request-timeout": 20.0,
    "checks": CHECKS,
    "generation": {"deterministic": True, "max-examples": 20, "database": "none"},
    "operations": [
        {"include-name": SLOW, "generation": {"max-examples": 8}},
        # A list of one thing that is no text is sent as its text, which is good: `q=[false]` as `q=false`.
        {"include-name": "GET /api/products/search", "checks": {"negative_data_rejection": {"enabled": False}}},
    ],
    "phases": {"stateful": {"generation": {"max-examples": 10}, "max-steps": 6}},
}
# OpenAPI 3.1 can say of a stream of events that it is text, and schemathesis would have each event be that text.
STREAMS = {"include-name-regex": "GET .*/live", "checks": {"response_schema_conformance": {"enabled": False}}}
CONFIG["operations"].append(STREAMS)


class Account:
    """What a run has done, and what it has found."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.checks: Counter[str] = Counter()
        self.found: dict[str, str] = {}
        self.broken: list[str] = []

    def take(self, event: events.EngineEvent) -> None:
        """Count what one event of the engine says."""
        if isinstance(event, events.ScenarioFinished):
            self._take(event)
        elif isinstance(event, events.NonFatalError):
            self.found[f"{event.label}: {event.info.title}"] = event.info.message
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.EngineFinished):
            self.found |= {failure.title: failure.message for failure in event.failures}

    def _take(self, scenario: events.ScenarioFinished) -> None:
        recorder = scenario.recorder
        for interaction in recorder.interactions.values():
            self.cases[scenario.phase.value] += 1
            self.statuses[interaction.response.status_code if interaction.response else 0] += 1
            if interaction.response and interaction.response.status_code >= 500:
                self.broken.append(
                    f"{interaction.request.method} {interaction.request.uri}: {interaction.response.text}"
                )
        for checks in recorder.checks.values():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    where = f"{check.name}: {failure.operation}: {failure.title}"
                    self.found.setdefault(where, f"{failure.message}\n{check.failure_info.code_sample}")

    def __str__(self) -> str:
        cases = ", ".join(f"{phase} {count}" for phase, count in self.cases.items())
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        checks = ", ".join(f"{name} {count}" for name, count in sorted(self.checks.items()))
        return "\n".join(
            [f"{self.cases.total()} requests ({cases}), answered {statuses}; checked: {checks}", *self.broken]
        )


class Manners:
    """What is changed in requests before they are sent, so that answers are worth checking and come in time."""

    def __init__(self, customers: Mapping[str, str]) -> None:
        self._customers, self._sent = customers, 0

    def __call__(self, context: Any, case: Any, kwargs: Any) -> None:
        """Who creates something waits for it, as every third of the others does; for orders and streams nobody does."""
        if case.query and case.query.get("wait_for") == "settled" and _is_time(case.query.get("timeout", 10)):
            case.query["timeout"] = 0.01
        if case.path.endswith("/live") and _is_time((case.query or {}).get("timeout", 0), 3600):
            case.query = {**(case.query or {}), "timeout": 0}
        if case.auth_identity in self._customers and case.method.upper() == "POST":
            _in_their_name(case, self._customers[case.auth_identity])
        if case.method.upper() == "POST" and case.path != "/api/auth/login":
            self._sent += 1
            if self._sent % 3 == 0 or case.path in CREATING:
                case.headers = {**(case.headers or {}), "Prefer": "wait=10"}


def _in_their_name(case: Any, user_id: str) -> None:
    """A customer orders for themselves, and leaves the order's id to us; whoever does not is refused at once."""
    if isinstance(case.body, dict) and isinstance(case.body.get("customer_id"), str):
        case.body = {**case.body, "customer_id": user_id}
        case.body.pop("order_id", None)
    if "customer_id" in (case.path_parameters or {}):
        case.path_parameters = {**case.path_parameters, "customer_id": user_id}


def _is_time(value: Any, most: float = 30) -> bool:
    try:
        return 0 <= float(value) <= most
    except (TypeError, ValueError):
        return False


class People(NamedTuple):
    """Who asks: a document of everybody's tokens, as schemathesis reads it, and the customers' ids."""

    document: Path
    customers: dict[str, str]


async def registered(api: str, name: str) -> tuple[str, str]:
    """Somebody's token and id."""
    async with Client(api) as client:
        email, password = f"{name}@example.org", "correct horse"
        await client.register({"email": email, "name": name, "password": password}, wait=10)
        await client.log_in(email, password)
        return client.token, (await client.me())["user_id"]


def asking(document: Mapping[str, Any]) -> dict[str, str]:
    """Who asks first for each operation: a customer what customers may, for the rest somebody whose work it is."""
    found = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            whom = said.get("description", "").rpartition("For: ")[2]
            names = [name for name in ("staff", "operator", "analyst") if name in whom]
            found[f"{method.upper()} {path}"] = names[0] if names and "customer" not in whom else PEERS[0]
    return found


@pytest.fixture
def people(run: Run, tmp_path: Path) -> People:
    """Two customers with accounts, and one of each role of those who work here."""
    accounts = {name: asyncio.run(registered(run.address.api, name)) for name in PEERS}
    tokens = {name: token for name, (token, _) in accounts.items()}
    customers = {name: user_id for name, (_, user_id) in accounts.items()}
    issuing = Tokens(Keyring(run.plan.home / "keys"))
    tokens |= {role: issuing.issue(role, (role,)) for role in ROLES if role != "customer"}
    headers = {name: [{"name": "Authorization", "value": f"Bearer {token}"}] for name, token in tokens.items()}
    document = tmp_path / "people.json"
    document.write_text(json.dumps({"auth": [{"name": name, "fixedHeaders": said} for name, said in headers.items()]}))
    return People(document, customers)


@pytest.fixture
def manners(people: People) -> Iterator[None]:
    """Requests have manners for as long as a test lasts."""
    hook = Manners(people.customers)
    schemathesis.hook("before_call")(hook)
    yield
    unregister(hook)


@pytest.mark.timeout(400)
def test_the_api_does_what_its_openapi_says_whatever_is_sent_by_whomever(
    run: Run, people: People, manners: None, capsys: pytest.CaptureFixture[str]
) -> None:
    auth = {"auth": {"wfc": {"path": str(people.document), "peers": list(PEERS)}}}
    config = schemathesis.Config.from_dict({**CONFIG, **auth})
    schema = schemathesis.openapi.from_url(f"{run.address.api}/api/openapi.json", config=config)
    restore_identity_assignments(schema, asking(schema.raw_schema))
    account = Account()
    for event in from_schema(schema).execute():
        account.take(event)
    with capsys.disabled():
        print(f"\n{account}")

    assert not account.found, "\n\n".join(f"{where}\n{what}" for where, what in account.found.items())
    assert account.cases.total() >= CASES
    assert not [status for status in account.statuses if status >= 500 or status == 0]
    assert account.checks["not_a_server_error"] >= CASES
