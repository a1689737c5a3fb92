"""A change that breaks readers of old events, or clients, is named with its field; one that does not passes."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsoncompat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.print_openapi import FILE, document, text
from tests.gate.narrowing import Pair, Schema, narrowed
from tests.gate.promises import broken_api, broken_messages, promised
from workers.print_docs import ROOT

MESSAGES, API = promised(ROOT)
PLACED, PLACE = MESSAGES["order.placed.v1"], MESSAGES["order.place"]

Edit = Callable[[Any], Any]


def test_the_printed_openapi_is_what_the_api_says_and_nothing_promised_is_broken() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "`make docs` prints it again"
    assert not list(broken_api(API, document()))


def required(schema: Schema) -> None:
    schema["properties"]["gift"] = {"type": "boolean"}
    schema["required"].append("gift")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (required, "gift has become required"),
        (lambda s: s["properties"].pop("total"), "total is not known any more"),
        (lambda s: s["properties"]["total"].update(type="string"), "total was integer, and is string"),
        (lambda s: s["properties"]["total"].update(maximum=10), "total maximum was none, and is 10"),
        (lambda s: s["$defs"]["Line"]["properties"].pop("sku"), "lines[].sku is not known any more"),
        (lambda s: s["properties"]["currency"].update(enum=["EUR"]), "currency was any string, and is one of ['EUR']"),
    ],
)
def test_an_event_that_could_not_be_read_any_more_is_named_with_its_field_and_the_way_out(
    edit: Edit, said: str
) -> None:
    new = copy.deepcopy(PLACED)
    edit(new)
    (broken,) = broken_messages({"order.placed.v1": PLACED}, {"order.placed.v1": new})
    assert str(broken).startswith(f"order.placed.v1: {said}")
    assert "upcaster" in broken.way_out


def test_a_class_that_is_gone_while_its_events_are_recorded_is_named() -> None:
    (broken,) = broken_messages({"order.placed.v1": PLACED}, {})
    assert str(broken).startswith("order.placed.v1: is not there any more")


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s["properties"].update(gift={"type": "boolean", "default": False}),
        lambda s: s["properties"]["total"].update(type="number"),
        lambda s: s["required"].remove("total"),
        lambda s: s["properties"]["total"].update(description="another word for it"),
    ],
)
def test_what_takes_nothing_away_from_readers_passes(edit: Edit) -> None:
    new = copy.deepcopy(PLACED)
    edit(new)
    assert not list(broken_messages({"order.placed.v1": PLACED}, {"order.placed.v1": new}))


def view(document: Schema) -> Schema:
    found: Schema = document["components"]["schemas"]["OrderView"]
    return found


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d["paths"].pop("/api/orders/{order_id}"), "GET /api/orders/{order_id}: is gone"),
        (
            lambda d: view(d)["properties"].pop("total"),
            "GET /api/orders/{order_id}: answer 200.total is not there any more",
        ),
        (
            lambda d: view(d)["required"].remove("total"),
            "GET /api/orders/{order_id}: answer 200.total was always there, and may be missing",
        ),
        (
            lambda d: d["components"]["schemas"]["PlaceOrder"]["properties"]["lines"].update(maxItems=5),
            "POST /api/orders: body.lines maxItems was 500, and is 5",
        ),
        (
            lambda d: d["paths"]["/api/orders"]["get"]["parameters"].append(
                {"in": "query", "name": "shop", "required": True, "schema": {"type": "string"}}
            ),
            "GET /api/orders: query shop has become required",
        ),
    ],
)
def test_what_clients_rely_on_and_would_lose_is_named(edit: Edit, said: str) -> None:
    new = copy.deepcopy(API)
    edit(new)
    assert said in [str(broken).partition("\n")[0] for broken in broken_api(API, new)]


def searched(document: Schema) -> Schema:
    found: Schema = document["components"]["schemas"]["Found"]
    return found


def test_the_items_of_a_list_may_hold_more_and_not_less() -> None:
    more, less = copy.deepcopy(API), copy.deepcopy(API)
    searched(more)["properties"]["gift"] = {"type": "boolean"}
    assert not list(broken_api(API, more))
    searched(less)["properties"].pop("rank")
    said = [str(broken).partition("\n")[0] for broken in broken_api(API, less)]
    assert said == ["GET /api/products/search: answer 200.items.[].rank is not there any more"]


def test_it_ends_with_one_and_says_what_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "schemas/json"
    folder.mkdir(parents=True)
    promise = copy.deepcopy(PLACED)
    promise["properties"]["gift"] = {"type": "boolean"}
    (folder / "order.placed.v1.json").write_text(json.dumps(promise))

    done = subprocess.run(
        [sys.executable, "-m", "tests.gate", "--root", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "broken: order.placed.v1: gift is not known any more" in done.stdout


def closed(schema: Any) -> Any:
    """As the gate sees objects: they hold no fields but those that are named."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema else {}
    return {**more, **{name: closed(part) for name, part in schema.items() if name != "$id"}}


LEAVES: tuple[Schema, ...] = (
    {"type": "string"},
    {"type": "string", "minLength": 1},
    {"type": "string", "maxLength": 64},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "string", "enum": ["a", "b", "c"]},
    {"type": "integer"},
    {"type": "integer", "minimum": 0},
    {"type": "integer", "minimum": 1, "maximum": 9},
    {"type": "number"},
    {"type": "boolean"},
)


def arrays(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.builds(lambda items: {"type": "array", "items": items}, inner)


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(st.sampled_from("abc"), inner, min_size=1))
    needed = draw(st.sets(st.sampled_from(sorted(properties))))
    return {"type": "object", "properties": properties, "required": sorted(needed), "additionalProperties": False}


SCHEMAS = st.recursive(st.sampled_from(LEAVES), lambda inner: arrays(inner) | objects(inner), max_leaves=5)


@st.composite
def changed(draw: st.DrawFn, old: Schema) -> Schema:
    """The schema with something in it changed, or nothing."""
    if draw(st.integers(0, 3)) == 0 or "type" not in old:
        return draw(SCHEMAS)
    if old["type"] == "array":
        return {**old, "items": draw(changed(old["items"]))}
    if old["type"] != "object":
        return draw(st.sampled_from([leaf for leaf in LEAVES if leaf["type"] == old["type"]]))
    properties = {name: draw(changed(part)) for name, part in old["properties"].items() if draw(st.integers(0, 5))}
    properties |= draw(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(LEAVES), max_size=1))
    needed = draw(st.sets(st.sampled_from([*old["required"], *properties]))) if properties else set()
    return {**old, "properties": properties, "required": sorted(needed & properties.keys())}


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_it_says_no_where_jsoncompat_says_no(data: st.DataObject) -> None:
    old = data.draw(SCHEMAS)
    new = data.draw(changed(old))
    agreed = jsoncompat.check_compat(json.dumps(old), json.dumps(new), "deserializer")
    assert agreed == (not list(narrowed(Pair(old, new), old, new)))


@pytest.mark.parametrize("tag", sorted(MESSAGES))
def test_every_schema_reads_what_it_wrote(tag: str) -> None:
    schema = closed(MESSAGES[tag])
    assert jsoncompat.check_compat(json.dumps(schema), json.dumps(schema), "deserializer")
    assert not list(narrowed(Pair(schema, schema), schema, schema))
