"""``stream-attr ledger --from``: the ledger is what the files say, however it was filled."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import conninfo

from stream_attr.cli import main
from stream_attr.contract.topics import (
    AGENT_DAILY,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ROSTER,
    RULINGS,
    SETTINGS,
    TASKS,
)
from stream_attr.ledger.database import publish
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.sink import batch
from stream_attr.ledger.sink import folder as sink
from tests.ledger.conftest import address_of
from tests.ledger.sink.contents import contents, rows

KEYS = {
    "decision": ((DECISIONS, "attribution-comparisons"), ("shop_id", "order_id", "profile")),
    "inquiry": ((INQUIRIES,), ("shop_id", "buyer_id", "agent_id", "day")),
    "reception": ((FACTS,), ("shop_id", "buyer_id", "agent_id", "day")),
    "agent_day": ((AGENT_DAILY,), ("shop_id", "agent_id", "day")),
    "service_task": ((TASKS,), ("shop_id", "order_id", "kind")),
}
BATCH = 300
"""Records of a batch here, so that there are many."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated traffic of two shops, and what came of it in ``out``."""
    folder = tmp_path_factory.mktemp("traffic")
    generated = ["generate", "--events", "3000", "--days", "4", "--shops", "2", "--out", str(folder)]
    assert CliRunner().invoke(main, generated).exit_code == 0
    files = [
        f"--{kind}={folder / kind}.jsonl" for kind in ("chat", "orders", "rulings", "roster", "settings")
    ]
    replayed = ["replay", *files, "--out", str(folder / "out"), "--processes", "1", "--accept-future"]
    assert CliRunner().invoke(main, replayed).exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones, and no progress in the log."""
    monkeypatch.setattr(sink, "BATCH_RECORDS", BATCH)
    monkeypatch.setattr("stream_attr.cli.progress._EVERY_S_LOG", math.inf)


def arguments(ledger: Database, inputs: Path, out: Path | None = None) -> list[str]:
    given = [f"--{kind}={inputs / kind}.jsonl" for kind in ("roster", "settings", "rulings")]
    return ["ledger", "--from", str(out or inputs / "out"), *given, "--database", ledger.address]


def fill(ledger: Database, inputs: Path, *more: str, out: Path | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments(ledger, inputs, out), *more])


def records(folder: Path, topic: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{topic}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def filled(ledger: Database, inputs: Path) -> dict:
    """What a ledger holds that was filled in one go."""
    done = fill(ledger, inputs)
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    return contents(ledger)


def test_it_holds_the_last_record_of_every_key(filled: dict, ledger: Database, inputs: Path) -> None:
    out = inputs / "out"
    for table, (topics, key) in KEYS.items():
        last = {tuple(one[name] for name in key): one for topic in topics for one in records(out, topic)}
        found = rows(ledger, f"SELECT {', '.join(key)}, revision, status, watermark FROM {table}")
        assert {tuple(map(str, one[: len(key)])): one[len(key) :] for one in found} == {
            name: (one["revision"], one["status"], one["watermark"]) for name, one in last.items()
        }, table
    assert len(filled["agent_day"]) > 10
    every = [one for topic in KEYS["decision"][0] for one in records(out, topic)]
    found = rows(ledger, "SELECT record, known_ts FROM decision_revision")
    by_id = {one["decision_id"]: (one, known_ts) for one, known_ts in found}
    assert by_id == {one["decision_id"]: (one, one["watermark"]) for one in every}


def test_amounts_and_refunds_add_up_to_those_of_the_files(
    filled: dict, ledger: Database, inputs: Path
) -> None:
    last = {(one["shop_id"], one["order_id"]): one for one in records(inputs / "out", DECISIONS)}
    credited: dict[tuple, int] = {}
    refunded = 0
    for one in last.values():
        if one["credit"]:
            agent = one["shop_id"], one["credit"]["agent_id"]
            credited[agent] = credited.get(agent, 0) + one["amount"]
        refunded += sum(refund["amount"] for refund in one["refunds"])
    query = (
        "SELECT shop_id, agent_id, sum(amount)::bigint FROM decision "
        "WHERE profile = 'official' AND agent_id IS NOT NULL GROUP BY 1, 2"
    )
    assert {one[:2]: one[2] for one in rows(ledger, query)} == credited
    assert rows(ledger, "SELECT sum(amount)::bigint FROM refund") == [(refunded,)]
    assert refunded > 0
    assert len(credited) > 3
    assert filled["unstored"] == []


def test_what_was_given_to_the_replay_is_there_line_by_line(
    filled: dict, ledger: Database, inputs: Path
) -> None:
    for table, kind in (("roster", "roster"), ("shop_settings", "settings")):
        lines = (inputs / f"{kind}.jsonl").read_text("utf-8").splitlines()
        assert len(filled[table]) == len(lines), table
    letters = (inputs / "out" / "dead-letters.jsonl").read_text("utf-8").splitlines()
    assert len(filled["dead_letter"]) == len(letters) > 0
    (place,) = rows(ledger, "SELECT place FROM dead_letter ORDER BY source_offset LIMIT 1")[0]
    first = json.loads(letters[0])
    assert place == f"{first['file']}, line {first['line']}"


def test_as_of_is_the_last_watermark_of_each_topic(filled: dict, ledger: Database, inputs: Path) -> None:
    assert filled
    found = dict(rows(ledger, "SELECT topic, watermark FROM sink_offset WHERE watermark IS NOT NULL"))
    for topic, watermark in found.items():
        assert watermark == max(one["watermark"] for one in records(inputs / "out", topic))
    assert {DECISIONS, FACTS, INQUIRIES, AGENT_DAILY} <= found.keys()


def test_the_database_knows_how_much_there_is_before_anybody_reads_it(filled: dict, ledger: Database) -> None:
    assert filled
    tables = "^(decision|decision_revision|inquiry|reception|refund|agent_day)_[0-9]+$"
    unknown = f"relkind = 'r' AND relname ~ '{tables}' AND reltuples < 0"
    assert rows(ledger, f"SELECT relname FROM pg_class WHERE {unknown}") == []


def test_a_second_time_changes_nothing(filled: dict, ledger: Database, inputs: Path) -> None:
    again = fill(ledger, inputs)
    assert again.exit_code == 0
    assert "nothing new in " in again.stderr
    assert contents(ledger) == filled


def test_batches_grow_from_a_small_one(
    filled: dict, ledger: Database, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "_FIRST_RECORDS", 40)
    given = {ROSTER: "roster", SETTINGS: "settings", RULINGS: "rulings"}
    files = sink.Files(
        inputs / "out", {topic: [str(inputs / f"{kind}.jsonl")] for topic, kind in given.items()}
    )
    turns = sys.getswitchinterval()
    written = [0]
    with ledger.connection(autocommit=True) as connection:
        sink.fill(connection, files, rebuild=True, progress=written.append)
    sizes = [after - before for before, after in itertools.pairwise(written)]
    assert sizes[:-1] == [40, 160, *[BATCH] * (len(sizes) - 3)]
    assert 0 < sizes[-1] <= BATCH
    assert contents(ledger) == filled
    assert sys.getswitchinterval() == turns


def test_a_copy_of_the_folder_is_the_same_source(
    filled: dict, ledger: Database, inputs: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(inputs / "out", tmp_path / "copy")
    assert fill(ledger, inputs, out=copy).exit_code == 0
    assert contents(ledger) == filled


def test_another_folder_is_refused_unless_the_ledger_is_to_be_rebuilt(
    filled: dict, ledger: Database, inputs: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(inputs / "out", tmp_path / "other")
    lines = (other / f"{DECISIONS}.jsonl").read_bytes().splitlines(keepends=True)
    (other / f"{DECISIONS}.jsonl").write_bytes(b"".join(lines[:-1]))
    refused = fill(ledger, inputs, out=other)
    assert refused.exit_code == 2
    assert refused.stderr == (
        "Error: the ledger was filled from another attribution-decisions.jsonl than this one: name another "
        "database, or fill this one from the beginning with --rebuild, which empties it first: then name all "
        "files, those of before, too\n"
    )
    assert contents(ledger) == filled
    rebuilt = fill(ledger, inputs, "--rebuild", out=other)
    assert rebuilt.exit_code == 0
    removed, stored = (line.split(" in ")[0] for line in rebuilt.stderr.splitlines()[:2])
    assert removed.startswith("--rebuild has emptied the ledger first, of ")
    assert f" {len(lines):,} {DECISIONS}, " in removed
    assert f", {len(filled['roster'])} {ROSTER}" in removed
    compared = [part for part in removed.split(", ") if part.endswith(" attribution-comparisons")]
    assert compared == [part for part in stored.split(", ") if part.endswith(" attribution-comparisons")]
    assert len(contents(ledger)["decision_revision"]) == len(filled["decision_revision"]) - 1
    assert fill(ledger, inputs, "--rebuild").exit_code == 0
    assert contents(ledger) == filled


def test_a_folder_that_is_not_of_replay_is_refused_in_one_sentence(
    ledger: Database, inputs: Path, tmp_path: Path
) -> None:
    refused = fill(ledger, inputs, out=tmp_path)
    assert refused.exit_code == 2
    assert refused.stderr == (
        f"Error: {tmp_path}: it has no attribution-decisions.jsonl: name a folder that stream-attr replay "
        "wrote\n"
    )


@pytest.mark.parametrize("damage", [b"{", b"\xff{}", b'{"shop_id":"jd:1"}'])
def test_a_damaged_line_is_named(ledger: Database, inputs: Path, tmp_path: Path, damage: bytes) -> None:
    out = shutil.copytree(inputs / "out", tmp_path / "out")
    file = out / f"{FACTS}.jsonl"
    lines = file.read_bytes().splitlines()
    lines[401] = damage
    file.write_bytes(b"\n".join(lines))
    refused = fill(ledger, inputs, out=out)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"Error: {file}, line 402: it is not a record of reception-facts: ")
    assert refused.stderr.count("\n") == 1


def test_a_settings_record_that_is_refused_is_kept_with_why(
    ledger: Database, inputs: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"shop_id":"jd:1","effective_from":"2026-11-01","no_such":1}\n', "utf-8")
    done = fill(ledger, inputs, "--settings", str(bad))
    assert done.exit_code == 0
    assert done.stderr.endswith(
        "Warning: 1 record cannot be stored (1 shop-settings): the table unstored says why; correct the "
        "files, then fill the ledger from all of them by --rebuild\n"
    )
    [(topic, offset, why)] = rows(ledger, "SELECT topic, source_offset, why FROM unstored")
    assert (topic, offset) == ("shop-settings", 1)
    assert "no_such" in why


def test_what_an_administrator_has_yet_to_do_is_said(
    ledger: Database, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "READER", "no_such_reader")
    with ledger.connection() as connection:
        connection.execute("CREATE ROLE filler LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE {connection.info.dbname} TO filler".encode())
        connection.execute("DROP SCHEMA stream_attr CASCADE")
    try:
        address = conninfo.make_conninfo(ledger.address, user="filler")
        with Database(address, inputs) as database:
            done = fill(database, inputs)
        assert done.exit_code == 0
        assert done.stderr.startswith("Warning: there is no role no_such_reader, and user 'filler' may not ")
    finally:
        with psycopg.connect(ledger.address) as connection:
            connection.execute("DROP OWNED BY filler CASCADE")
            connection.execute("DROP ROLE filler")


_HOOKED = """
import os, signal, sys
from stream_attr import cli
from stream_attr.ledger.sink import batch, folder
folder.BATCH_RECORDS = {size}
batch.IDLE = "1s"
name, nth, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
real, seen = getattr(batch, name), 0
def hooked(*arguments):
    global seen
    seen += 1
    if seen == nth:
        os.kill(os.getpid(), number)
    return real(*arguments)
setattr(batch, name, hooked)
if name == "write":
    folder.write = hooked
cli.main(sys.argv[4:])
"""


def hooked(step: str, nth: int, number: signal.Signals, arguments: list[str]) -> subprocess.Popen[str]:
    """A command that sends itself a signal when it comes to a step for the nth time."""
    command = [sys.executable, "-c", _HOOKED.format(size=BATCH), step, str(nth), str(int(number))]
    return subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("step", "nth"),
    [("write", 1), ("_fence", 3), ("_copy", 2), ("_apply", 4), ("_keep_unstored", 1), ("_keep_unstored", 5)],
)
def test_killed_at_any_step_and_started_again_it_is_the_same(
    ledger: Database, filled: dict, inputs: Path, step: str, nth: int
) -> None:
    with hooked(step, nth, signal.SIGKILL, [*arguments(ledger, inputs), "--rebuild"]) as killed:
        assert killed.wait(600) == -signal.SIGKILL
    assert contents(ledger) != filled
    assert fill(ledger, inputs).exit_code == 0
    assert contents(ledger) == filled


@pytest.mark.parametrize(
    ("step", "said"), [("write", "is no longer at offset"), ("_apply", "the connection to")]
)
def test_one_that_is_stopped_and_goes_on_after_another_has_filled_it_writes_nothing(
    ledger: Database, filled: dict, inputs: Path, step: str, said: str
) -> None:
    with hooked(step, 3, signal.SIGSTOP, [*arguments(ledger, inputs), "--rebuild"]) as stopped:
        os.waitpid(stopped.pid, os.WUNTRACED)
        try:
            assert contents(ledger) != filled
            assert fill(ledger, inputs).exit_code == 0
            assert contents(ledger) == filled
        finally:
            stopped.send_signal(signal.SIGCONT)
        assert stopped.wait(600) in (1, 2)
        assert stopped.stderr is not None
        assert said in stopped.stderr.read()
    assert contents(ledger) == filled


@pytest.mark.database
def test_a_database_that_dies_meanwhile_ends_it_in_one_sentence_and_it_goes_on_later(
    inputs: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path_factory.mktemp("pg")  # so short that its socket is in it, at the same address again
    server = EmbeddedPostgres(folder, {"fsync": "off"})
    written = 0

    def write(*arguments: Any) -> None:
        nonlocal written
        written += 1
        if written == 3:
            os.kill(server.pid, signal.SIGKILL)
        batch.write(*arguments)

    with server:
        with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE own")
        with Database(address_of(server, "own"), tmp_path) as database:
            monkeypatch.setattr(sink, "write", write)
            broken = fill(database, inputs)
            assert broken.exit_code == 2
            assert broken.stderr.startswith("Error: the connection to database 'own' on ")
            assert broken.stderr.count("\n") == 1
            server.close()
            server.start()
            again = fill(database, inputs)
            assert again.exit_code == 0, again.stderr
            found = contents(database)
            assert fill(database, inputs, "--rebuild").exit_code == 0
            assert contents(database) == found
