"""A sealed text opens with its person's key and with no other, and says as little as it can without it."""

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints

from events.registry import COMMANDS, command_codec
from schemas.mark import MARK, person_of
from schemas.order import CancelOrder
from schemas.parking import EVERYWHERE
from schemas.personal import Plan, plan_of, sealed, tells
from schemas.sealing import Broken, PersonKey, new_secret, replaced_in, sealed_in
from schemas.values import PERSONAL, Command, Name, NotPersonal
from tests.builders.values import A
from tests.golden.examples import COMMANDS as EXAMPLES

ADA, BOB = PersonKey("ada", new_secret()), PersonKey("bob.b", new_secret())


@given(st.text())
def test_what_is_sealed_opens_to_the_same_text(text: str) -> None:
    assert ADA.open(ADA.seal("text", text)) == text


def test_the_same_text_is_sealed_to_the_same_and_another_field_or_person_to_something_else() -> None:
    one = ADA.seal("name", "Ada")
    assert one == ADA.seal("name", "Ada")
    others = [ADA.seal("name", "Adb"), ADA.seal("street", "Ada"), BOB.seal("name", "Ada")]
    assert len({each.rpartition(".")[2] for each in (one, *others)}) == 4


def test_it_opens_neither_with_anothers_key_nor_under_another_name_nor_changed() -> None:
    one = ADA.seal("name", "Ada")
    last = "A" if one[-1] != "A" else "B"
    for wrong in (one.replace(".ada.", ".bob.b."), one.replace(".name.", ".street."), one[:-30] + last + one[-29:]):
        with pytest.raises(Broken):
            ADA.open(wrong)
    with pytest.raises(Broken):
        BOB.open(one)


def test_whose_it_is_can_be_read_without_a_key() -> None:
    assert [person_of(key.seal("name", "x")) for key in (ADA, BOB)] == ["ada", "bob.b"]
    for other in ("ada", MARK, f"{MARK}ada.name.short", "x" + ADA.seal("name", "x"), ""):
        assert person_of(other) is None


def test_its_length_says_little_and_no_name_is_as_long() -> None:
    short = PersonKey("a", new_secret())
    assert len({len(short.seal("text", "x" * n)) for n in range(1, 31)}) == 1
    assert len(short.seal("a", "x")) > 64
    assert "max_length=64" in repr(Name)


def test_every_string_of_a_document_is_opened_and_only_whole_strings() -> None:
    hers, his = ADA.seal("name", 'A "quoted" name'), BOB.seal("name", "Bob")
    raw = f'{{"a":"{hers}","b":["{his}"],"c":"so: {his}"}}'.encode()
    assert sealed_in(raw) == {f'"{hers}"'.encode(): "ada", f'"{his}"'.encode(): "bob.b"}
    opened = replaced_in(raw, {f'"{hers}"'.encode(): b"1", f'"{his}"'.encode(): b"2"})
    assert opened == f'{{"a":1,"b":[2],"c":"so: {his}"}}'.encode()


@pytest.mark.parametrize("command", EXAMPLES.values(), ids=EXAMPLES)
def test_a_sealed_command_is_read_from_the_log_and_nothing_but_what_is_personal_differs(command: Command) -> None:
    if not plan_of(type(command)):
        return
    recorded = sealed(command, ADA)
    assert recorded == sealed(command, ADA)
    assert command_codec.fresh(command.tag, command_codec.encode(recorded)) == recorded
    assert recorded.stream == command.stream
    before, after = command.model_dump(), recorded.model_dump()
    for name, inside in plan_of(type(command)):
        if inside is None:
            default = type(command).model_fields[name].default
            assert after.pop(name) != before.pop(name) or getattr(command, name) in ("", default)
        else:
            assert {part for part in after[name] if after[name][part] != before[name][part]} == {n for n, _ in inside}
            del before[name], after[name]
    assert after == before


def texts_in(said: Any, marks: Sequence[Any], where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The texts of an annotation, each with where it is and how it is marked; `[]` is the inside of a list."""
    origin, parts = get_origin(said), get_args(said)
    if origin is Annotated:
        yield from texts_in(parts[0], [*marks, *parts[1:]], where)
    elif origin in (Union, UnionType):
        for part in parts:
            yield from texts_in(part, marks, where)
    elif origin in (tuple, list, dict):
        for part in parts:
            yield from texts_in(part, marks, (*where, "[]"))
    elif isinstance(said, type) and issubclass(said, BaseModel):
        for name, field in said.model_fields.items():
            yield from texts_in(field.annotation, field.metadata, (*where, name))
    elif said in (str, Any):
        yield where, [mark for mark in marks if mark is PERSONAL or isinstance(mark, NotPersonal)]


TEXTS = [
    (command, where, marks)
    for command in (*(command for commands in COMMANDS.values() for command in commands), *EVERYWHERE)
    for where, marks in texts_in(command, (), (command.tag,))
]


def test_every_text_of_every_command_is_sealed_or_says_why_it_is_not() -> None:
    assert [".".join(where) for _, where, marks in TEXTS if not marks] == []
    assert all(mark is PERSONAL or len(mark.why.split()) > 1 for _, _, marks in TEXTS for mark in marks)


def test_a_text_that_nobody_has_thought_about_is_found() -> None:
    class Slip(Command):
        said: dict[str, tuple[Annotated[str, StringConstraints(max_length=9)], ...]] = {}  # noqa: RUF012

    assert [where for where, marks in texts_in(Slip, (), ()) if not marks] == [
        ("said", "[]"),
        ("said", "[]", "[]"),
    ]


def test_what_is_marked_is_sealed_and_no_more() -> None:
    def planned(plan: Plan, where: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, inside in plan:
            yield from [(*where, name)] if inside is None else planned(inside, (*where, name))

    for command in {command for command, _, _ in TEXTS}:
        marked = {where for of, where, marks in TEXTS if of is command and PERSONAL in marks}
        assert marked == set(planned(plan_of(command), (command.tag,)))


def test_what_is_left_as_it_is_by_default_is_nobodys() -> None:
    own, left = (CancelOrder(order_id=A, **said) for said in ({"reason": "I am ill"}, {}))
    assert (tells(own), tells(left)) == (True, False)
    assert person_of(sealed(own, ADA).model_dump()["reason"]) == "ada"
    assert sealed(left, ADA) == left


WORDS = ("order.cancel.reason", "order.cancel_line.reason", "order.ship.tracking", "order.request_return.reason",
         "order.receive_return.note", "order.add_note.text", "payment.refund.reason")  # fmt: skip


@pytest.mark.parametrize("where", WORDS)
def test_what_people_type_about_an_order_is_sealed(where: str) -> None:
    assert [marks for _, path, marks in TEXTS if ".".join(path) == where] == [[PERSONAL]]
