"""What is printed from the code says what the code says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from workers.print_docs import ROOT, pages, stale, write

CODE = ("schemas", "events", "aggregates", "projections", "workers", "api")


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    return pages()


def test_nothing_printed_is_stale(printed: dict[str, str]) -> None:
    assert stale(ROOT, printed) == [], "`make docs` prints them again"


def test_what_is_changed_missing_or_of_a_tag_that_is_gone_is_stale_and_is_mended(
    printed: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path, printed)
    (tmp_path / "docs/catalogue.md").write_text("something else")
    (tmp_path / "docs/choreography.md").unlink()
    (tmp_path / "schemas/json/order.forgotten.v1.json").write_text("{}")

    found = ["docs/catalogue.md", "docs/choreography.md", "schemas/json/order.forgotten.v1.json"]
    assert sorted(stale(tmp_path, printed)) == found
    assert sorted(write(tmp_path, printed)) == found
    assert stale(tmp_path, printed) == []


def test_every_reference_in_the_asyncapi_document_leads_somewhere(printed: dict[str, str]) -> None:
    document = json.loads(printed["schemas/asyncapi.json"])
    references = list(_references(document))
    assert references
    assert [reference for reference in references if not _leads_somewhere(document, reference)] == []


def test_a_topic_of_events_has_every_message_that_a_reader_may_find_in_it(printed: dict[str, str]) -> None:
    document = json.loads(printed["schemas/asyncapi.json"])
    messages = document["channels"]["order.events"]["messages"].keys()
    assert {"order.placed.v1", "command.rejected.v1", "record.parked.v1", "log.claimed.v1"} <= messages


def test_every_variable_that_the_code_reads_is_in_the_table_of_settings(printed: dict[str, str]) -> None:
    text = "".join(path.read_text() for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    named = set(re.findall(r"ORDERLOG_[A-Z_]*[A-Z]", text))
    assert [name for name in sorted(named) if f"`{name}`" not in printed["docs/command-line.md"]] == []


def test_a_late_authorization_is_seen_to_be_voided_in_the_stories(printed: dict[str, str]) -> None:
    title = "The customer cancels while the provider is asked"
    story = printed["docs/choreography.md"].partition(title)[2].partition("###")[0]
    said = ["order.cancelled", "authorize", "payment.authorized, payment.void_requested", "payment.voided"]
    places = [story.find(words) for words in said]
    assert -1 not in places
    assert places == sorted(places)


def _references(part: Any) -> Any:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _leads_somewhere(document: Any, reference: str) -> bool:
    for step in reference.removeprefix("#/").split("/"):
        if step not in document:
            return False
        document = document[step]
    return True
