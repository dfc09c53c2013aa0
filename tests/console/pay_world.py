"""Two shops whose agents are paid, and everybody who may or may not look at it."""

from __future__ import annotations

import json
from typing import Any

from psycopg import Connection

from stream_attr.console.accounts import Duty
from stream_attr.console.roles import Role
from stream_attr.ledger.acting import Acting
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.pay.drafts import draft
from stream_attr.ledger.pay.persons import Paid, Persons
from stream_attr.ledger.pay.runs import RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes, read
from stream_attr.pay.employment import Employment
from tests.ledger.pay.world import BASE, COMMISSION, agent, known_until, order, scheme
from tests.ledger.reports.handmade import SHOP, start_of

OTHER = "jd:2"
MONTH = "2026-11"


def put(connection: Connection, document: dict[str, Any]) -> None:
    Schemes(connection).put(read(json.dumps(document).encode()), "payroll")


def paid_traffic(connection: Connection[Any], shops: list[str], agent_id: str) -> dict[str, str]:
    """Pay the agents of each shop by a scheme of its own, and close November; by shop one of its persons.

    Of the first shop it is the agent's.
    """
    person: dict[str, str] = {}
    connection.execute("UPDATE roster SET person_id = person_id || '-2' WHERE shop_id = %s", (shops[1],))
    connection.execute(  # whenever the clock says it is
        "INSERT INTO roster SELECT shop_id, agent_id, 99, 0, '2020-01-01', role, name, agent_group, person_id"
        " FROM roster WHERE shop_id = %s AND agent_id = %s LIMIT 1",
        (shops[0], agent_id),
    )
    late = ("attribution-decisions", 99, start_of("2026-12-02"))
    connection.execute("INSERT INTO sink_offset VALUES (%s, %s, 0, NULL, NULL, %s)", late)
    for number, shop in enumerate(shops):
        put(connection, scheme(BASE, COMMISSION, scheme_id=f"scheme-{number}"))
        query = "SELECT DISTINCT person_id FROM roster WHERE shop_id = %s AND person_id <> '' ORDER BY 1"
        names = [name for (name,) in connection.execute(query, (shop,))]
        for name in names:
            Persons(connection).put(Paid(name, None, f"scheme-{number}", Employment("2026-01-01")), "hr")
        run = RunId(f"scheme-{number}", MONTH)
        draft(connection, run, "Li")
        for step, by in (("check", "Li"), ("approve", "Wang"), ("close", "Li")):
            with connection.transaction():
                Runs(connection).step(run, step, Acting(by))
        person[shop] = names[0]
    connection.execute("DELETE FROM sink_offset WHERE source_partition = 99")
    row = connection.execute(
        "SELECT person_id FROM roster WHERE shop_id = %s AND agent_id = %s", (shops[0], agent_id)
    ).fetchone()
    assert row is not None
    return {**person, shops[0]: row[0]}


def accounts(connection: Connection[Any]) -> None:
    """Everybody who may or may not look."""
    from tests.console.conftest import add  # noqa: PLC0415 -- which needs this module

    add(connection, "admin", Role.ADMIN)
    add(connection, "auditor", Role.AUDITOR)
    for role in (Role.MANAGER, Role.REVIEWER, Role.PAYROLL):
        add(connection, str(role), role, Duty(SHOP))
    add(connection, "payroll-2", Role.PAYROLL, Duty(OTHER))
    for name in ("anna", "ben", "carl"):
        add(connection, name, Role.AGENT, Duty(SHOP, name))


def paid_shops(database: Database) -> None:
    """Anna (p-1) and Ben (p-2) of one shop, Dora (p-9) of the other; Carl is an agent and no person.

    Anna is credited with 12,345.67, 9,999.99 and 62,654.84 in November: with the tiers of LEDGER 4 that is
    610.01 beside a base of 4,000.00.
    """
    with database.connection(autocommit=True) as connection:
        put(connection, scheme(BASE, COMMISSION, name="底薪与提成"))
        put(connection, scheme(BASE, scheme_id="elsewhere"))
        for name, person in (("anna", "p-1"), ("ben", "p-2"), ("carl", None), ("eva", "p-5")):
            agent(connection, name, person)
        agent(connection, "dora", "p-9", shop_id=OTHER)
        order(connection, "o-1", "anna", 1_234_567)
        order(connection, "o-2", "anna", 999_999)
        order(connection, "o-3", "anna", 6_265_484)
        order(connection, "o-4", "carl", 500_000)
        persons = Persons(connection)
        for person, name, scheme_id in (
            ("p-1", "安娜", "presale"),
            ("p-2", "Ben", "presale"),
            ("p-9", "Dora", "elsewhere"),
        ):
            persons.put(Paid(person, name, scheme_id, Employment("2026-01-01")), "hr")
        accounts(connection)
    known_until(database, "2026-12-25")
