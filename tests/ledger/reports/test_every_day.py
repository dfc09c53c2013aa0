"""docs/guides/reports.md: what a shop asks every day is one command each, and each command answers."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from tests.docs.blocks import ROOT, blocks_of

GUIDE = (ROOT / "docs" / "guides" / "reports.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| .+\? \| .+ \| `stream-attr (.+)` \|$", GUIDE, re.MULTILINE)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the guide's first commands were run; the settings have a profile more."""
    folder = tmp_path_factory.mktemp("every-day")
    generate, replay, report = blocks_of(GUIDE)[0].text.replace("\\\n", "").splitlines()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(generate)
        settings = folder / "traffic" / "settings.jsonl"
        records = [json.loads(line) for line in settings.read_text("utf-8").splitlines()]
        lines = [json.dumps(one | {"profiles": {"by-order": {"preset": "jd_official"}}}) for one in records]
        settings.write_text("\n".join(lines), "utf-8")
        run(f"{replay} --processes 1")
        assert "jd:10086" in run(report)
    return folder


def run(command: str) -> str:
    done = CliRunner().invoke(main, shlex.split(command.removeprefix("stream-attr ")))
    assert done.exit_code == 0, done.output
    return done.output


def test_there_are_seven() -> None:
    assert len(COMMANDS) == 7


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one.split()[:2]))
def test_each_is_one_command(command: str, followed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(followed)
    assert run(command)
    if command.startswith("report "):
        assert re.search("[\u4e00-\u9fff]{2}", run(f"{command} --lang zh")) or "--out" in command
