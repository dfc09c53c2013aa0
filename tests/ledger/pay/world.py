"""A ledger of orders, refunds and agents' days that are made up, and commands on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Connection, Database
from tests.ledger.reports.handmade import SHOP, start_of

NOON_MS = 12 * 3_600_000
FINAL_AT = start_of("2026-12-20")
TIERS = [
    {"from": 0, "rate": "0.5%"},
    {"from": 3_000_000, "rate": "0.8%"},
    {"from": 8_000_000, "rate": "1.2%"},
]
COMMISSION = {
    "kind": "commission",
    "id": "commission",
    "of": "sales.net_amount",
    "mode": "marginal",
    "tiers": TIERS,
}
BASE = {"kind": "fixed", "id": "base", "name": "底薪", "amount": 400_000, "prorate": "days"}


def scheme(*components: Mapping[str, Any], version: int = 1, **head: Any) -> dict[str, Any]:
    return {
        "scheme_id": "presale",
        "version": version,
        "effective_from": "2026-11-01",
        "refund_basis": "sale_month",
        "take_at_most": "20%",
        "components": list(components),
        **head,
    }


def agent(
    connection: Connection,
    agent_id: str,
    person: str | None,
    first: str = "2026-01-01",
    shop_id: str = SHOP,
) -> None:
    """An agent who is a person from a day on; later records come later."""
    connection.execute(
        "INSERT INTO roster VALUES (%s, %s, 0, (SELECT count(*) FROM roster), %s, 'presale', NULL, NULL, %s)",
        (shop_id, agent_id, first, person),
    )


def order(
    connection: Connection,
    order_id: str,
    agent_id: str | None,
    amount: int,
    *,
    day: str = "2026-11-05",
    refunds: Iterable[tuple[str, int]] = (),
    placing: str | None = None,
    payment: str | None = None,
    **columns: Any,
) -> None:
    """The last revision of an order, in place of the one before."""
    refunds = list(refunds)
    row = {
        "shop_id": SHOP,
        "order_id": order_id,
        "profile": "official",
        "revision": 1,
        "buyer_id": "b",
        "preset": "chitu",
        "status": "final",
        "reason": "timer",
        "outcome": "credited" if agent_id else "silent",
        "placing_agent_id": placing,
        "payment_agent_id": payment,
        "agent_id": agent_id,
        "basis": "payment" if agent_id else None,
        "amount": amount,
        "quantity": 1,
        "currency": "CNY",
        "refund_requested": 0,
        "refund_completed": sum(one for _, one in refunds),
        "created_ts": start_of(day) + NOON_MS,
        "paid_ts": start_of(day) + NOON_MS,
        "notices": [],
        "final_at": FINAL_AT,
        "watermark": 1,
        "known_ts": 1,
        "source_partition": 0,
        "source_offset": 0,
        "record": "{}",
        **columns,
    }
    key = (SHOP, order_id)
    connection.execute("DELETE FROM decision WHERE shop_id = %s AND order_id = %s", key)
    connection.execute("DELETE FROM refund WHERE shop_id = %s AND order_id = %s", key)
    connection.execute(
        f"INSERT INTO decision ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
    )
    for number, (refund_day, refunded) in enumerate(refunds, start=1):
        connection.execute(
            "INSERT INTO refund VALUES (%s, %s, %s, NULL, %s, %s, true, 'CNY', %s, 'credited')",
            (SHOP, order_id, number, start_of(refund_day) + NOON_MS, refunded, agent_id),
        )


def agent_day(connection: Connection, agent_id: str, day: str, status: str = "final", **figures: int) -> None:
    """``workload__receptions=3``: of figure ``workload.receptions``."""
    record: dict[str, dict[str, int]] = {}
    for key, number in figures.items():
        group, name = key.split("__")
        record.setdefault(group, {})[name] = number
    connection.execute(
        "INSERT INTO agent_day VALUES (%s, %s, %s, 1, %s, 'timer', 1, 0, 0, %s)",
        (SHOP, agent_id, day, status, json.dumps(record)),
    )


def run(database: Database, *arguments: object) -> Result:
    """A command of ``stream-attr pay``."""
    return CliRunner().invoke(main, ["pay", *map(str, arguments), "--database", database.address])


def done(database: Database, *arguments: object) -> str:
    """What a command shows that has to work."""
    result = run(database, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(database: Database, *arguments: object) -> str:
    """What a command says that has to be refused."""
    result = run(database, *arguments)
    assert result.exit_code == 2, result.output
    return result.stderr.strip()


def put(database: Database, folder: Path, document: Mapping[str, Any]) -> None:
    file = folder / "scheme.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    done(database, "scheme", "put", file, "--by", "payroll")


def person(database: Database, person_id: str, *more: object, scheme_id: str = "presale") -> None:
    days = () if "--from" in more else ("--from", "2026-01-01")
    done(database, "person", "set", person_id, "--scheme", scheme_id, *days, *more, "--by", "hr")


def shown(database: Database, month: str = "2026-11", scheme_id: str = "presale") -> dict[str, Any]:
    """A run's rows by person."""
    text = done(database, "run", "show", "--scheme", scheme_id, "--month", month, "--format", "json")
    return {row["person"]: row for row in json.loads(text)["rows"]}


def known_until(database: Database, day: str) -> None:
    """The ledger has read everything up to a day, and nothing after it."""
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO sink_offset VALUES ('attribution-decisions', 0, 9, NULL, %(at)s, %(at)s)"
            " ON CONFLICT (topic, source_partition) DO UPDATE SET watermark = excluded.watermark",
            {"at": start_of(day)},
        )


def close(
    database: Database, month: str = "2026-11", scheme_id: str = "presale", known: str = "2028-01-01"
) -> None:
    """Draft, check, approve and close a run, long after the month, as it stands."""
    known_until(database, known)
    which = ("--scheme", scheme_id, "--month", month)
    done(database, "run", "draft", *which, "--by", "Li")
    done(database, "run", "check", *which, "--by", "Li")
    done(database, "run", "approve", *which, "--by", "Wang")
    done(database, "run", "close", *which, "--by", "Li", "--as-it-stands")
