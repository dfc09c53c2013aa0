"""``stream-attr dead-letters`` told wrongly, and without a broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.codec.records.dead_letter import encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.rules.vocabulary import Code


def run(*words: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["dead-letters", *map(str, words)], input=stdin)


def letter(value: bytes = b"{", **given) -> bytes:
    place = {"topic": "chat-events", "partition": 3, "offset": 1047, "key": b"jd:1|b", **given}
    return encode_dead_letter(RefusedRecord(Code.NOT_JSON, "no\x1b[2J JSON"), value=value, **place) + b"\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--code", "misspelt"], "'misspelt' is not one of 'incomplete_order'"),
        (["--topic", "attribution-decisions"], "is not one of 'chat-events'"),
        (["--offset", "9-5"], "'9-5' ends before it begins"),
        (["--offset", "latest"], "'latest' is neither an offset like 1047 nor two like 1000-1999"),
        (["--since", "yesterday"], "'yesterday' is neither RFC 3339"),
        (["letters.jsonl", "--since", "1793500000000"], "files do not say when a record was refused"),
        (["-", "-"], "standard input (-) can be read once only"),
        (["no-such-file.jsonl"], "no-such-file.jsonl: No such file"),
    ],
)
@pytest.mark.parametrize("name", ["list", "replay"])
def test_told_wrongly_it_exits_with_2(name: str, words: list[str], problem: str) -> None:
    result = run(name, "--broker", "127.0.0.1:1", *words)
    assert (result.exit_code, problem in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [(["--values"], "--values needs one --topic"), (["--values", "--json"], "exclude each other")],
)
def test_list_told_wrongly_exits_with_2(words: list[str], problem: str) -> None:
    result = run("list", *words)
    assert (result.exit_code, problem in result.stderr) == (2, True)


@pytest.mark.parametrize("words", [["list"], ["replay"], ["replay", "--dry-run"]])
def test_where_no_broker_answers_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr("stream_attr.kafka.connection._NOBODY_THERE_S", 0)
    result = run(*words, "--broker", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "no Kafka broker answers at 127.0.0.1:1: " in result.stderr


def test_files_are_listed_without_a_broker_and_without_moving_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "letters.jsonl"
    path.write_bytes(letter() + letter(file="chat.jsonl", key=None))
    result = run("list", path)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "-  not_json  chat-events 3@1047  jd:1  no\\x1b[2J JSON",
        "-  not_json  chat-events chat.jsonl:1047  -  no\\x1b[2J JSON",
    ]
    assert result.stderr == "2 dead letters: 2 not_json\n"


def test_values_are_the_records_one_a_line() -> None:
    records = [b'{"a":\r\n 1}', b"{", '{"b": "归\\n"}'.encode()]
    letters = b"".join(map(letter, records))
    result = run("list", "--values", "--topic", "chat-events", "-", stdin=letters)
    assert result.stdout_bytes.splitlines() == [b'{"a":   1}', *records[1:]]
    assert json.loads(result.stdout_bytes.splitlines()[0]) == {"a": 1}
