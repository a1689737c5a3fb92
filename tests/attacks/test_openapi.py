"""Our OpenAPI document is held against the running API by schemathesis: thousands of requests, good and bad."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister

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

CONFIG: dict[str, Any] = {
    "seed": 20261123,
    "continue-on-failure": True,
    "request-timeout": 20.0,
    "checks": CHECKS,
    "generation": {"deterministic": True, "max-examples": 30, "database": "none"},
    "operations": [{"include-name": ["POST /login", "POST /users"], "generation": {"max-examples": 8}}],
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

    def __init__(self) -> None:
        self._sent = 0

    def __call__(self, context: Any, case: Any, kwargs: Any) -> None:
        """Who creates something waits for it, as every third of the others does; for orders and streams nobody does."""
        if case.query and case.query.get("wait_for") == "settled" and _is_time(case.query.get("timeout", 10)):
            case.query["timeout"] = 0.01
        if case.path.endswith("/live") and _is_time((case.query or {}).get("timeout", 0), 3600):
            case.query = {**(case.query or {}), "timeout": 0}
        if case.method.upper() == "POST" and case.path != "/login":
            self._sent += 1
            if self._sent % 3 == 0 or case.path in ("/orders", "/products", "/users"):
                case.headers = {**(case.headers or {}), "Prefer": "wait=10"}


def _is_time(value: Any, most: float = 30) -> bool:
    try:
        return 0 <= float(value) <= most
    except (TypeError, ValueError):
        return False


@pytest.fixture
def manners() -> Iterator[None]:
    """Requests have manners for as long as a test lasts."""
    hook = Manners()
    schemathesis.hook("before_call")(hook)
    yield
    unregister(hook)


@pytest.mark.timeout(400)
def test_the_api_does_what_its_openapi_says_whatever_is_sent(
    run: Run, manners: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = schemathesis.Config.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{run.address.api}/openapi.json", config=config)
    account = Account()
    for event in from_schema(schema).execute():
        account.take(event)
    with capsys.disabled():
        print(f"\n{account}")

    assert not account.found, "\n\n".join(f"{where}\n{what}" for where, what in account.found.items())
    assert account.cases.total() >= CASES
    assert not [status for status in account.statuses if status >= 500 or status == 0]
    assert account.checks["not_a_server_error"] >= CASES
