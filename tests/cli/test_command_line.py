"""The command's frame: quick help, and exit statuses that say whose fault it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.errors import StreamAttrError, UnusableError

HEAVY = {"confluent_kafka", "faust", "aiokafka", "rocksdict", "rich", "orjson", "stream_attr.processor"}


def test_help_lists_the_commands_without_loading_them():
    code = (
        "import sys\nfrom stream_attr.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("demo", "broker", "topics", "worker", "publish", "replay", "generate", "explain", "check"):
        assert f"\n  {name} " in done.stdout
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_is_wrong_usage():
    result = CliRunner().invoke(main, ["judge"])
    assert (result.exit_code, "No such command 'judge'" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to publish"),
        (["--chat", "-", "--orders", "-"], "standard input (-) can be read once only"),
        (["--chat", "no-such-file.jsonl"], "no-such-file.jsonl: No such file"),
        (["--chat", "-", "--until", "tomorrow"], "'tomorrow' is neither RFC 3339"),
        (["--chat", "-", "--speed", "0"], "0.0 is not in the range"),
    ],
)
def test_publish_told_wrongly_exits_with_2_and_sends_nothing(arguments, problem):
    result = CliRunner().invoke(main, ["publish", "--broker", "127.0.0.1:1", *arguments])
    assert result.exit_code == 2
    assert problem in result.stderr


def run(arguments, **more):
    words = [sys.executable, "-m", "stream_attr", *arguments]
    return subprocess.run(words, stderr=subprocess.PIPE, check=False, **more)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_standard_output_is_told(tmp_path):
    (tmp_path / "chat.jsonl").write_bytes(b"{\n")
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = run(["check", "--chat", str(tmp_path / "chat.jsonl")], stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"Error: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("ascii", "归 ñ".encode()),
        ("latin-1", b"\\u5f52 \xf1"),
        ("gbk", "归 \\xf1".encode("gbk")),
        ("utf-8", "归 ñ".encode()),
    ],
)
def test_what_standard_output_cannot_show_ends_no_command(encoding, said):
    code = "import stream_attr.cli\nstream_attr.cli._show_any_character()\nprint('归 ñ')"
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, said, b"")


def test_an_error_of_ours_is_one_line_per_argument_and_its_exit_code(monkeypatch):
    for error, lines in (
        (UnusableError("a.jsonl: No such file"), ["Error: a.jsonl: No such file"]),
        (
            StreamAttrError("no answer", "Acknowledged: \x1b[31m1"),
            ["Error: no answer", r"Acknowledged: \x1b[31m1"],
        ),
    ):
        monkeypatch.setattr("stream_attr.cli.check.check", raises(error))
        result = CliRunner().invoke(main, ["check", "--chat", "a.jsonl"])
        assert (result.exit_code, result.stderr.splitlines()) == (error.exit_code, lines)


def raises(error):
    def check(*_, **__):
        raise error

    return check
