"""``stream-attr replay --ledger``: judged and stored in one go, as in two."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from tests.ledger.sink.contents import contents, rows


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traffic")
    generated = ["generate", "--events", "600", "--days", "2", "--out", str(folder)]
    assert CliRunner().invoke(main, generated).exit_code == 0
    order = {"shop_id": "jd:10086", "buyer_id": "b-1", "order_id": "o-ruled"}
    ruled = {**order, "event_id": "r-1", "ts": 1_794_300_000_000, "type": "withdrawn", "ruled_by": "Li"}
    (folder / "rulings.jsonl").write_text(json.dumps(ruled) + "\n", "utf-8")
    return folder


@pytest.fixture(autouse=True)
def scratch(ledger: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, not of those of the server, which runs; no progress in the log."""
    assert ledger.name
    monkeypatch.setattr("stream_attr.cli.progress._EVERY_S_LOG", math.inf)
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(traffic: Path, *kinds: str) -> list[str]:
    every = ("chat", "orders", "rulings", "roster", "settings")
    return [f"--{kind}={traffic / kind}.jsonl" for kind in kinds or every]


def replay(ledger: Database, traffic: Path, *more: str) -> Result:
    words = ["replay", *files(traffic), "--accept-future", "--processes=1", "--ledger", *more]
    return CliRunner().invoke(main, [*words, "--database", ledger.address])


def lines(file: Path) -> int:
    return len(file.read_bytes().splitlines())


def test_it_stores_what_it_writes_and_twice_is_once(
    ledger: Database, traffic: Path, tmp_path: Path, scratch: Path
) -> None:
    out = tmp_path / "out"
    first = replay(ledger, traffic, "--out", str(out))
    assert (first.exit_code, first.stdout) == (0, ""), first.output
    assert [line.rpartition(" in ")[2] for line in first.stderr.splitlines()] == [
        str(out),
        ledger.name,
    ]
    stored = contents(ledger)
    every = sum(lines(out / f"attribution-{name}.jsonl") for name in ("decisions", "comparisons"))
    assert len(stored["decision_revision"]) == every > 50
    assert len(stored["dead_letter"]) == lines(out / "dead-letters.jsonl") > 0
    for table, kind in (("roster", "roster"), ("shop_settings", "settings")):
        assert len(stored[table]) == lines(traffic / f"{kind}.jsonl") > 0, table
    assert "o-ruled" in stored["ruling"][0]
    days = "SELECT shop_id, day FROM {} WHERE {} ORDER BY 1, 2"
    made = rows(ledger, days.format("day_roll_up", "content IS NOT NULL"))
    assert made == rows(ledger, days.format("agent_day", "agent_id = '*'")) != []

    again = replay(ledger, traffic)
    assert again.exit_code == 0, again.output
    judged, new, before = again.stderr.splitlines()
    assert judged.startswith("judged: ")
    assert " in " not in judged
    assert new == f"nothing new in {ledger.name}"
    assert before.endswith(" records were there already")

    kept = files(traffic, "settings", "roster", "rulings")
    two = ["ledger", "--from", str(out), *kept, "--database", ledger.address]
    assert CliRunner().invoke(main, two).exit_code == 0
    assert contents(ledger) == stored
    assert list(scratch.iterdir()) == []


def test_other_files_are_refused_unless_it_is_to_be_rebuilt(ledger: Database, traffic: Path) -> None:
    assert replay(ledger, traffic).exit_code == 0
    stored = contents(ledger)
    stopped = ("--until", "2026-11-10T12:00:00+08:00")
    refused = replay(ledger, traffic, *stopped)
    assert refused.exit_code == 2
    said = refused.stderr.splitlines()[-1]
    assert said.startswith("Error: the ledger was filled from another ")
    assert said.endswith("with --rebuild, which empties it first: then name all files, those of before, too")
    assert contents(ledger) == stored
    assert replay(ledger, traffic, *stopped, "--rebuild").exit_code == 0
    pending = rows(ledger, "SELECT count(*) FROM decision WHERE status = 'pending'")
    assert pending > [(0,)]
    assert len(contents(ledger)["decision"]) <= len(stored["decision"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nowhere to write to: give --out DIR, --ledger or both."),
        (["--rebuild", "--out=there"], "--rebuild goes with --ledger."),
        (["--ledger", "--roster=-"], "--ledger reads roster, settings and rulings again: give files, not -."),
    ],
)
def test_options_that_do_not_go_together_are_refused(traffic: Path, words: list[str], said: str) -> None:
    refused = CliRunner().invoke(main, ["replay", *files(traffic, "chat"), *words])
    assert refused.exit_code == 2
    assert refused.stderr.endswith(f"Error: {said}\n")


def test_without_the_extra_one_sentence_says_so_before_anything_is_judged(
    traffic: Path, tmp_path: Path
) -> None:
    script = "import sys; sys.modules['psycopg'] = None; from stream_attr.cli import main; main()"
    words = ["replay", *files(traffic, "chat"), "--ledger", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("Error: the ledger needs the library psycopg: pip install 'stream-attr[ledger]'\n")
    assert not (tmp_path / "out").exists()
