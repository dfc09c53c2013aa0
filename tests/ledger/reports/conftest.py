"""A ledger of generated traffic, judged by ``replay``: to its end, and in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.contract.topics import ROSTER, RULINGS, SETTINGS
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.reports.report import Cell, Moment, Money, Number, Report, Row
from stream_attr.ledger.reports.scope import snapshot
from stream_attr.ledger.sink.folder import Files, fill
from stream_attr.ledger.texts import Text
from tests.ledger.conftest import address_of

Record = dict[str, Any]
MIDDLE = "2026-11-11T12:00:00+08:00"


def plain(cell: Cell) -> Any:
    """A cell without its currency, zone or Chinese."""
    if isinstance(cell, Money):
        return cell.amount
    if isinstance(cell, Moment):
        return cell.ts
    if isinstance(cell, Number):
        return cell.value
    return cell.english if isinstance(cell, Text) else cell


def rows_as_dicts(report: Report, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows by the keys of their columns."""
    names = [column.key for column in report.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in rows]


def table(report: Report, rows: Iterable[Row], *key: str) -> dict[Any, dict[str, Any]]:
    """Rows by some of their cells; each is there once."""
    found = {}
    for row in rows_as_dicts(report, rows):
        name = tuple(row[one] for one in key)
        assert name not in found
        found[name] = row
    return found


def command(*arguments: object) -> None:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output


class Traffic(NamedTuple):
    """A ledger that is filled, and the records that it was filled from."""

    database: Database
    folder: Path
    """Where replay wrote them."""

    def last(self, topic: str, *key: str) -> list[Record]:
        """The last record of each key of a topic."""
        found: dict[tuple[Any, ...], Record] = {}
        for line in (self.folder / f"{topic}.jsonl").read_text().splitlines():
            record = json.loads(line)
            found[tuple(record[name] for name in key)] = record
        return list(found.values())

    @property
    def decisions(self) -> list[Record]:
        """The last revision of each order's official decision."""
        return self.last("attribution-decisions", "shop_id", "order_id")

    @property
    def agent_days(self) -> list[Record]:
        return self.last("agent-daily", "shop_id", "agent_id", "day")


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of 3,000 events of two shops, some of them broken; both have two profiles."""
    folder = tmp_path_factory.mktemp("generated")
    command("generate", "--seed", 11, "--events", 3_000, "--days", 12, "--shops", 2, "--out", folder)
    settings = [json.loads(line) for line in (folder / "settings.jsonl").read_text().splitlines()]
    for record in settings:
        record["profiles"] = {"by-order": {"preset": "jd_official"}, "first": {"preset": "chitu"}}
    (folder / "settings.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in settings))
    more = sorted(more_refunds((folder / "orders.jsonl").read_text().splitlines()), key=lambda one: one["ts"])
    (folder / "refunds.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in more))
    return folder


def more_refunds(lines: list[str]) -> Iterator[Record]:
    """Refunds of every fourth paid order, hours and days after its payment."""
    needed = {"shop_id", "buyer_id", "order_id", "ts"}
    paid = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("type") == "paid" and needed <= event.keys():
            paid.append(event)
    for number, event in enumerate(sorted(paid, key=lambda one: one["ts"])[::4]):
        for suffix, type_ in (("a", "refund_requested"), ("b", "refund_completed")):
            hours = 1 + number * 7 % 60 + (suffix == "b") * 20
            yield {
                **{key: event[key] for key in ("shop_id", "buyer_id", "order_id")},
                "event_id": f"more-{number}{suffix}",
                "ts": event["ts"] + hours * 3_600_000,
                "type": type_,
                "amount": 100 + number,
                "currency": event.get("currency", "CNY"),
            }


def judged(postgres: EmbeddedPostgres, template: str, files: Path, out: Path, *options: object) -> Traffic:
    """Replay generated files, and fill a ledger with the results."""
    inputs = {name: files / f"{name}.jsonl" for name in ("chat", "orders", "roster", "settings", "rulings")}
    named = [one for name, file in inputs.items() for one in (f"--{name}", file)]
    command("replay", *named, "--orders", files / "refunds.jsonl", "--out", out, *options)
    name = out.name.replace("-", "_")
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(address_of(postgres, name), Path())
    with database, database.connection(autocommit=True) as connection:
        topics = {SETTINGS: "settings", ROSTER: "roster", RULINGS: "rulings"}
        fill(connection, Files(out, {topic: (str(inputs[file]),) for topic, file in topics.items()}))
    return Traffic(Database(address_of(postgres, name), Path()), out)


@pytest.fixture(scope="session")
def ended(
    postgres: EmbeddedPostgres,
    ledger_template: str,
    generated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Traffic]:
    """All of it is final."""
    out = tmp_path_factory.mktemp("ended", numbered=False)
    traffic = judged(postgres, ledger_template, generated, out)
    with traffic.database:
        yield traffic


@pytest.fixture(scope="session")
def middle(
    postgres: EmbeddedPostgres,
    ledger_template: str,
    generated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Traffic]:
    """Judged up to noon of a busy day: much of it is pending."""
    out = tmp_path_factory.mktemp("middle", numbered=False)
    traffic = judged(postgres, ledger_template, generated, out, "--until", MIDDLE)
    with traffic.database:
        yield traffic


@pytest.fixture
def read(ended: Traffic) -> Iterator[Connection]:
    """A connection to the ledger in which all is final, in the transaction of a report."""
    with ended.database.connection() as connection, snapshot(connection):
        yield connection


@pytest.fixture
def read_middle(middle: Traffic) -> Iterator[Connection]:
    """Likewise of the ledger in which much is pending."""
    with middle.database.connection() as connection, snapshot(connection):
        yield connection
