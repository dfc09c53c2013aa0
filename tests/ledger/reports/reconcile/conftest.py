"""A small shop whose days begin at 02:00, with an order for each cause; and sheets beside its ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from stream_attr.contract.topics import ROSTER, RULINGS, SETTINGS
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import reconcile
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.ledger.sink.folder import Files, fill
from tests.ledger.conftest import address_of
from tests.ledger.reports.conftest import command, rows_as_dicts

SHOP = "tb:1"
UNTIL = "2026-11-12T03:00:00+08:00"
DAYS = ("2026-11-10", "2026-11-11")
Record = dict[str, Any]
_numbers: dict[str, int] = {}


def at(text: str) -> int:
    """An instant by the clocks of Shanghai: ``11-10 12:00:00``."""
    return (
        int(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp())
        * 1000
    )


def _numbered(kind: str) -> str:
    _numbers[kind] = _numbers.get(kind, 0) + 1
    return f"{kind}-{_numbers[kind]}"


def chat(buyer: str, agent: str, when: str, *, buyer_says: bool = True) -> list[Record]:
    """The buyer asks and the agent answers a minute later; or the agent speaks alone."""
    said = []
    for sender, ts in (("buyer", at(when)), ("agent", at(when) + 60_000)):
        if sender == "agent" or buyer_says:
            said.append(
                {
                    "event_id": _numbered("c"),
                    "shop_id": SHOP,
                    "buyer_id": buyer,
                    "agent_id": agent,
                    "ts": ts,
                    "sender": sender,
                    "text": "x",
                }
            )
    return said


def order(order_id: str, buyer: str, amount: int, *events: tuple[str, str], **more: Any) -> list[Record]:
    """Events of an order: a type and a time each; of the refunds with ``refund``, in minor units."""
    found = []
    for type_, when in events:
        event: Record = {
            "event_id": _numbered("o"),
            "shop_id": SHOP,
            "buyer_id": buyer,
            "order_id": order_id,
            "ts": at(when),
            "type": type_,
        }
        if type_ in ("created", "paid"):
            event["amount"] = amount
        elif type_.startswith("refund"):
            event["amount"] = more["refund"]
        found.append(event)
    return found


def bought(order_id: str, buyer: str, amount: int, created: str, paid: str) -> list[Record]:
    return order(order_id, buyer, amount, ("created", created), ("paid", paid))


CHAT = [
    *chat("b01", "kf-a", "11-10 11:50:00"),
    *chat("b02", "kf-a", "11-12 01:10:00"),
    *chat("b03", "kf-a", "11-10 00:30:00"),
    *chat("b04", "kf-b", "11-10 13:00:00"),
    *chat("b05", "kf-b", "11-10 14:00:00"),
    *chat("b09", "kf-d", "11-05 10:00:00"),
    *chat("b10", "kf-b", "11-10 15:00:00", buyer_says=False),
    *chat("b11", "kf-c", "11-10 16:00:00"),
    *chat("b12", "kf-b", "11-11 09:00:00"),
    *chat("b12", "kf-a", "11-11 09:30:00"),
    *chat("b13", "kf-a", "11-11 12:04:00"),
    *chat("b14", "kf-a", "11-11 13:00:00"),
    *chat("b15", "kf-b", "11-11 14:00:00"),
    *chat("b17", "kf-b", "11-12 02:10:00"),
    *chat("b17", "kf-a", "11-12 02:20:00"),
]
ORDERS = [
    *bought("2600000000000000001", "b01", 10_000, "11-10 11:58:00", "11-10 12:00:00"),
    *bought("2600000000000000002", "b02", 20_000, "11-12 01:20:00", "11-12 01:30:00"),
    *bought("2600000000000000003", "b03", 30_000, "11-10 00:50:00", "11-10 01:00:00"),
    *bought("2600000000000000004", "b04", 8_000, "11-10 13:10:00", "11-10 13:12:00"),
    *order("2600000000000000004", "b04", 0, ("refund_completed", "11-11 10:00:00"), refund=3_000),
    *bought("2600000000000000005", "b05", 5_000, "11-10 14:10:00", "11-10 14:12:00"),
    *order("2600000000000000005", "b05", 0, ("refund_requested", "11-10 20:00:00"), refund=2_000),
    *order("2600000000000000008", "b08", 4_000, ("created", "11-10 08:00:00")),
    *bought("2600000000000000009", "b09", 900, "11-10 10:10:00", "11-10 10:12:00"),
    *bought("2600000000000000010", "b10", 1_000, "11-10 15:10:00", "11-10 15:12:00"),
    *bought("2600000000000000011", "b11", 1_100, "11-10 16:10:00", "11-10 16:12:00"),
    *bought("2600000000000000012", "b12", 1_200, "11-11 09:40:00", "11-11 09:42:00"),
    *bought("2600000000000000013", "b13", 1_300, "11-11 11:58:00", "11-11 12:00:00"),
    *bought("2600000000000000014", "b14", 1_400, "11-11 13:10:00", "11-11 13:12:00"),
    *bought("0012345", "b15", 1_500, "11-11 14:10:00", "11-11 14:12:00"),
    *bought("2600000000000000016", "b16", 1_600, "11-11 15:10:00", "11-11 15:12:00"),
    *bought("2600000000000000020", "b20", 2_000, "11-10 18:10:00", "11-10 18:12:00"),
    *order("2600000000000000020", "b20", 0, ("excluded", "11-11 08:00:00")),
    *bought("2600000000000000017", "b17", 1_700, "11-12 02:28:00", "11-12 02:30:00"),
]
REFUSED = [
    {**ORDERS[0], "event_id": "o-bad", "order_id": "2600000000000000007", "buyer_id": "b07", "amount": "many"}
]
ROSTER_RECORDS = [
    {"shop_id": SHOP, "agent_id": agent, "role": role, "effective_from": "2026-11-01", "name": name}
    for agent, role, name in (
        ("kf-a", "presale", "阿莲"),
        ("kf-b", "presale", "小北"),
        ("kf-c", "aftersale", "木子"),
        ("kf-d", "presale", "可可"),
    )
]
SETTINGS_RECORDS = [
    {
        "shop_id": SHOP,
        "effective_from": "2026-11-01",
        "timezone": "Asia/Shanghai",
        "day_cut": "02:00",
        "silent_followup": {"buyer_initiated": True, "minutes": 10},
        "profiles": {
            "wide": {
                "validity": {"natural_days": 10},
                "silent_followup": {"buyer_initiated": True, "minutes": 10},
            }
        },
    }
]
RULING_RECORDS = [
    {
        "event_id": "r-1",
        "shop_id": SHOP,
        "buyer_id": "b14",
        "order_id": "2600000000000000014",
        "ts": at("11-11 18:00:00"),
        "type": "credit",
        "agent_id": "kf-b",
        "ruled_by": "lin",
    }
]


@pytest.fixture(scope="session")
def shop_database(
    postgres: EmbeddedPostgres, ledger_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The ledger of the shop, up to 03:00 on the 12th."""
    folder = tmp_path_factory.mktemp("shop")
    inputs = {
        "chat": CHAT,
        "orders": [*ORDERS, *REFUSED],
        "roster": ROSTER_RECORDS,
        "settings": SETTINGS_RECORDS,
        "rulings": RULING_RECORDS,
    }
    for name, records in inputs.items():
        ordered = sorted(records, key=lambda one: one.get("ts", 0))
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in ordered))
    named = [one for name in inputs for one in (f"--{name}", folder / f"{name}.jsonl")]
    command("replay", *named, "--out", folder / "out", "--until", UNTIL)
    with psycopg.connect(address_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE reconciled TEMPLATE {ledger_template}")
    database = Database(address_of(postgres, "reconciled"), Path())
    with database:
        with database.connection(autocommit=True) as connection:
            topics = {SETTINGS: "settings", ROSTER: "roster", RULINGS: "rulings"}
            files = {topic: (str(folder / f"{name}.jsonl"),) for topic, name in topics.items()}
            fill(connection, Files(folder / "out", files))
        yield database


@pytest.fixture
def shop_ledger(shop_database: Database) -> Iterator[Connection]:
    """A connection in the transaction of a report."""
    with shop_database.connection() as connection, snapshot(connection):
        yield connection


Reconciled = Callable[..., tuple[Report, list[dict[str, Any]]]]


@pytest.fixture
def reconciled(shop_ledger: Connection, tmp_path: Path) -> Reconciled:
    """Writes a sheet of lines and reconciles it; the rows are by the keys of their columns."""

    def of(*lines: str, days: tuple[str, str] = DAYS, **asked: Any) -> tuple[Report, list[dict[str, Any]]]:
        path = tmp_path / "sheet.csv"
        path.write_text("\n".join(lines) + "\n")
        every = ("matched", "differs", "only_there", "only_here")
        options = Options((SHOP,), period(*days), **{"file": path, "results": every, **asked})
        made = reconcile.report(shop_ledger, options)
        return made, rows_as_dicts(made, made.rows)

    return of
