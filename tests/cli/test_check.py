"""``stream-attr check``: what it says, where, and with which status it ends."""

from __future__ import annotations

import gzip

import pytest
from click.testing import CliRunner

from stream_attr.cli import main

GOOD = (
    b'{"event_id": "m1", "shop_id": "jd:1", "buyer_id": "b-1", "agent_id": "A",'
    b' "ts": 1793500000000, "sender": "buyer"}\n'
)


def check(*arguments, typed=None):
    return CliRunner().invoke(main, ["check", *map(str, arguments)], input=typed)


def test_without_problems_the_status_is_0(tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(GOOD * 2)
    done = check("--chat", tmp_path / "chat.jsonl")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "2 lines checked: no problems\n")


def test_problems_go_to_standard_output_their_counts_to_standard_error(tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    first.write_bytes(GOOD + b"[]\n")
    second.write_bytes(gzip.compress(b"{\n[]\n" + GOOD))
    done = check("--chat", first, second)
    assert done.exit_code == 1
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [
        [f"{first}:2", "not_an_object"],
        [f"{second}:1", "not_json"],
        [f"{second}:2", "not_an_object"],
    ]
    assert done.stderr == "5 lines checked: 2 not_an_object, 1 not_json\n"


def test_standard_input_is_a_file():
    done = check("--chat", "-", typed=GOOD + b"[]\n")
    assert (done.exit_code, done.stdout) == (1, "-:2: not_an_object: the value is not a JSON object\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to check"),
        (["--chat", "-", "--orders", "-"], "standard input (-) can be read once only"),
        (["--orders", "no-such-file.jsonl"], "no-such-file.jsonl: No such file"),
        (["--until", "now"], "No such option"),
    ],
)
def test_told_wrongly_it_exits_with_2(arguments, problem):
    done = check(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_file_that_breaks_off_is_unusable_whatever_was_found_before(tmp_path):
    broken = tmp_path / "a.jsonl.gz"
    broken.write_bytes(gzip.compress(b"[]\n" + bytes(range(256)) * 4096)[:-20])
    done = check("--chat", broken)
    assert done.exit_code == 2
    assert "cannot be read after line" in done.stderr


def test_help_says_what_cannot_be_known():
    said = check("--help").stdout
    for code in ("too_late", "key_mismatch"):
        assert code in said


def test_what_lies_in_the_future_is_named_unless_it_is_simulated(tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(GOOD + GOOD.replace(b"1793500000000", b"3976214400000"))
    done = check("--chat", tmp_path / "chat.jsonl")
    assert done.exit_code == 1
    problem = "`ts` lies more than 10 minutes ahead of the wall clock"
    assert done.stdout == f"{tmp_path}/chat.jsonl:2: future_timestamp: ts: {problem}\n"
    done = check("--chat", tmp_path / "chat.jsonl", "--accept-future")
    assert (done.exit_code, "future_timestamp" in done.stdout) == (0, False)


def test_warnings_fail_only_if_strict(tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(
        GOOD + GOOD.replace(b"buyer}", b"agent}").replace(b'"b-1"', b'"b-2"')
    )
    done = check("--chat", tmp_path / "chat.jsonl")
    assert (done.exit_code, done.stderr) == (0, "2 lines checked: no problems, 1 warning\n")
    first, remedy = done.stdout.splitlines()
    assert first.startswith(f"{tmp_path}/chat.jsonl:2: warning: repeated_event_id: chat events that ")
    assert remedy.startswith("  An event id names one event")
    assert check("--strict", "--chat", tmp_path / "chat.jsonl").exit_code == 1
    (tmp_path / "chat.jsonl").write_bytes(GOOD)
    assert check("--strict", "--chat", tmp_path / "chat.jsonl").exit_code == 0
