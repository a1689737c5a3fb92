"""A sealed text opens with its person's key and with no other, and says as little as it can without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.registry import COMMANDS, command_codec
from schemas.mark import MARK, person_of
from schemas.personal import Plan, plan_of, sealed
from schemas.sealing import Broken, PersonKey, new_secret, replaced_in, sealed_in
from schemas.values import Command, Name
from tests.golden.examples import COMMANDS as EXAMPLES

ADA, BOB = PersonKey("ada", new_secret()), PersonKey("bob.b", new_secret())
TELLING = {
    "email",
    "name",
    "street",
    "city",
    "postal_code",
    "phone",
    "label",
    "text",
    "note",
    "recipient",
    "params",
    "push_address",
}
"""Names of fields that may tell of a person."""
NOT_PERSONAL = {
    "product.list": {"name"},
    "product.describe": {"name"},
    # Asked by reactions alone, of events in which these are sealed already.
    "payment.request": {"email"},
    "notification.request": {"recipient", "params"},
}


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
            assert after.pop(name) != before.pop(name) or not getattr(command, name)
        else:
            assert {part for part in after[name] if after[name][part] != before[name][part]} == {n for n, _ in inside}
            del before[name], after[name]
    assert after == before


def test_whatever_may_tell_of_a_person_is_sealed_or_said_not_to() -> None:
    for command in (command for commands in COMMANDS.values() for command in commands):
        left = TELLING & set(command.model_fields) - {name for name, _ in plan_of(command)}
        assert left == NOT_PERSONAL.get(command.tag, set()), command.tag


def test_no_personal_text_hides_in_a_list() -> None:
    """The plan looks into models, and not into lists of them."""
    for command in (command for commands in COMMANDS.values() for command in commands):
        schema = command.model_json_schema()
        inside: Plan = plan_of(command)
        for name, said in schema.get("properties", {}).items():
            if said.get("type") == "array" and "$ref" in said["items"]:
                fields = schema["$defs"][said["items"]["$ref"].rpartition("/")[2]]["properties"]
                assert not TELLING & set(fields), (command.tag, name)
                assert name not in dict(inside)
