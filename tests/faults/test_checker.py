"""The checker: what it says of a good run, of a thin one, of one without evidence; and that it trusts nobody."""

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.ids import under
from tests.faults import checker
from tests.faults.checker.__main__ import main
from tests.faults.checker.evidence import key_of, start_of
from tests.faults.checker.verdict import check
from tests.faults.checker.wire import Decoder, records, to_line
from tests.faults.checker_cases.paper import uuid
from tests.faults.checker_cases.story import CANCELLED, KEPT, usual


def test_a_good_run_is_valid(tmp_path: Path) -> None:
    verdict = check(usual().write(tmp_path))

    assert (verdict["violations"], verdict["problems"]) == ({}, [])
    assert verdict["verdict"] == "valid"
    assert json.loads((tmp_path / "verdict.json").read_text()) == verdict


def test_windows_are_counted(tmp_path: Path) -> None:
    windows = check(usual().write(tmp_path))["windows"]

    expected = {
        "kills:worker-order": 1, "claims_after_kill": 2, "stale_append_ignored": 1, "poison_parked": 1,
        "poison_ignored": 1, "oversell_refused": 1, "compensation_after_capture": 1, "void_after_late_answer": 1,
    }  # fmt: skip
    assert expected.items() <= windows.items()


def test_a_kill_between_a_capture_and_its_record_hits_its_windows(tmp_path: Path) -> None:
    shop = usual()
    taken = next(e for e in shop.ledger if (e["operation"], e["reference"]) == ("capture", KEPT))
    recorded = shop.events("payment", "payment.captured.v1", KEPT)[0]["timestamp"] / 1000
    told = recorded - 0.5
    taken["at"] = datetime.fromtimestamp(told, UTC).isoformat()
    for kind, at, until in (("kill", recorded - 0.001, None), ("provider-mode", told - 0.001, told)):
        detail = {"mode": "lose_answer"}
        shop.faults.append({"at": at, "until": until, "fault": kind, "target": "worker-payment", "detail": detail})

    windows = check(shop.write(tmp_path))["windows"]

    assert taken["amount"] == 200
    assert windows["payment_in_flight_at_kill"] == 1
    assert windows["killed_between_capture_and_record"] == 1
    assert windows["answer_lost_after_capture"] == 1


def test_a_request_without_an_answer_that_was_done_is_no_fault(tmp_path: Path) -> None:
    shop = usual()
    for line in shop.history:
        if line["phase"] == "answer":
            line.update(outcome="unknown", status=None, command_id=None)

    verdict = check(shop.write(tmp_path))

    assert verdict["verdict"] == "valid"
    assert verdict["windows"]["command_unknown_then_applied"] == len(shop.history) // 2


def test_a_request_that_was_never_answered_nor_done_is_no_fault(tmp_path: Path) -> None:
    shop = usual()
    shop.send("cancel", KEPT, f"/orders/{KEPT}/cancel", {}, uuid("cut"))

    assert check(shop.write(tmp_path))["verdict"] == "valid"


def test_a_run_whose_faults_hit_too_little_is_inconclusive(tmp_path: Path) -> None:
    shop = usual()
    shop.said["minimum"] = {"kills": 2, "stale_append_ignored": 1}

    verdict = check(shop.write(tmp_path))

    assert verdict["verdict"] == "unknown"
    assert verdict["inconclusive"] == {"kills": {"found": 1, "demanded": 2}}


def test_a_broken_promise_weighs_more_than_a_thin_run(tmp_path: Path) -> None:
    shop = usual()
    shop.said["minimum"] = {"kills": 2}
    shop.ledger.pop()

    assert check(shop.write(tmp_path))["verdict"] == "invalid"


@pytest.mark.parametrize("missing", ["history.jsonl", "evidence.json", "dump/ledger.jsonl", "dump/layout.json"])
def test_without_evidence_nothing_is_known(tmp_path: Path, missing: str) -> None:
    run = usual().write(tmp_path)
    (run / missing).unlink()

    assert any(Path(missing).name in problem for problem in check(run)["problems"])


def test_a_log_that_has_lost_its_beginning_is_told(tmp_path: Path) -> None:
    run = usual().write(tmp_path)
    layout = json.loads((run / "dump" / "layout.json").read_text())
    layout["bounds"]["user.events/0"] = [5, 9]
    (run / "dump" / "layout.json").write_text(json.dumps(layout))

    assert any("begins at 5" in problem for problem in check(run)["problems"])


def test_a_dump_with_a_hole_is_told(tmp_path: Path) -> None:
    shop = usual()
    del shop.topics["user.events", 0][0]
    shop.claim("user", 0)["offset"] = 3

    assert any("user.events/0" in problem for problem in check(shop.write(tmp_path))["problems"])


def test_the_timeline_tells_an_orders_whole_story(tmp_path: Path) -> None:
    shop = usual()
    shop.ledger.pop(
        next(n for n, e in enumerate(shop.ledger) if (e["operation"], e["reference"]) == ("refund", CANCELLED))
    )

    timeline = check(shop.write(tmp_path))["violations"]["money.compensated_once"]["timeline"]

    story = "\n".join(timeline)
    for told in ("request ", "order.placed.v1", "payment.captured.v1", "provider: capture", "order.cancelled.v1",
                 "payment.refunded.v1", "mail ", "nemesis"):  # fmt: skip
        assert told in story
    assert timeline == sorted(timeline, key=lambda line: line[2:14])


@pytest.mark.parametrize(
    ("words", "code"),
    [(["check"], 64), (["look", "."], 64), (["check", "/nowhere"], 64), ([], 64)],
)
def test_a_wrong_command_line_is_told(words: list[str], code: int) -> None:
    assert main(words) == code


def test_the_command_exits_as_it_judges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = usual()
    for name, change in (("good", None), ("bad", "ledger"), ("thin", "minimum")):
        (tmp_path / name).mkdir()
        shop.ledger = shop.ledger[:-1] if change == "ledger" else usual().ledger
        shop.said["minimum"] = {"kills": 9} if change == "minimum" else {}
        shop.write(tmp_path / name)

    codes = [main(["check", str(tmp_path / name)]) for name in ("good", "bad", "thin")]

    assert codes == [0, 1, 2]
    said = capsys.readouterr().out
    assert "VALID: 0 of" in said
    assert "too few: kills: 1 of 9" in said


def test_servers_that_are_gone_leave_it_unknown(tmp_path: Path) -> None:
    nowhere = {"kafka": "127.0.0.1:1", "postgres": "postgresql://nobody@127.0.0.1:1/none", "ledger": "", "mail": ""}
    (tmp_path / "evidence.json").write_text(json.dumps(nowhere))

    command = [sys.executable, "-m", "tests.faults.checker", "collect", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2, done.stderr
    assert "UNKNOWN" in done.stderr


def test_the_checker_imports_nothing_of_the_application() -> None:
    allowed = {*sys.stdlib_module_names, "confluent_kafka", "psycopg"}
    for path in Path(checker.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not isinstance(node, ast.ImportFrom) or node.level == 0, f"{path}: a relative import"
            for name in names:
                ours = name.startswith("tests.faults.checker.")
                assert ours or name.split(".")[0] in allowed, f"{path} imports {name}"


def test_a_record_comes_back_from_its_line_as_it_was(tmp_path: Path) -> None:
    headers = [("ce_id", b"1"), ("odd", b"\xff\x00"), ("none", None)]
    lines = [
        to_line(0, 5, b"key\n", '{"name": "Zoë\u2028"}'.encode(), headers),
        to_line(1, 6, None, b"\xff\xfe", []),
        to_line(2, 7, b"\xff", None, [("twice", b"a"), ("twice", b"b")]),
    ]
    (tmp_path / "order.events-0.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")

    first, second, third = records(tmp_path, "order.events", 0)

    assert (first.key, first.value) == ("key\n", '{"name": "Zoë\u2028"}')
    assert first.headers == {"ce_id": "1", "odd": b"\xff\x00", "none": None}
    assert (second.key, second.value, second.offset) == (None, b"\xff\xfe", 1)
    assert (third.key, third.value, third.headers) == (b"\xff", None, {"twice": "b"})


def test_numbers_that_are_no_integers_are_seen() -> None:
    decoder = Decoder()
    for text, floats in (('{"a": 1}', 0), ('{"a": 1.0}', 1), ('[1e3, {"b": -0.5}]', 2), ("NaN", 1), ('"1.5"', 0)):
        decoder.decode(text)
        assert decoder.floats == floats, text


def test_a_commands_id_begins_as_its_key_and_path_say() -> None:
    key = "0A000000-0000-4000-8000-00000000000a"
    for said, heard in (("my-first-order", "my-first-order"), (key, key.lower())):
        assert start_of(said, "/orders") == key_of(under("", "POST /orders", heard, b"any body"))
    assert key_of(key) == key
