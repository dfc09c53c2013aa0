"""Whether the month of an appeal has been paid."""

from __future__ import annotations

from stream_attr.ledger.appeals.appeal import Case, case
from stream_attr.ledger.appeals.closed import closed_month
from stream_attr.ledger.database.connect import Connection
from tests.ledger.pay.world import BASE, agent, close, done, order, person, put, scheme
from tests.ledger.reports.handmade import SHOP


def the(connection: Connection, order_id: str) -> Case:
    found = case(connection, SHOP, order_id)
    assert found is not None
    return found


def test_a_month_is_closed_for_the_persons_of_its_runs(ledger, tmp_path):
    put(ledger, tmp_path, scheme(BASE))
    person(ledger, "p-1")
    with ledger.connection(autocommit=True) as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        order(connection, "o-1", "anna", 10_000, day="2026-11-30")
        order(connection, "o-2", "anna", 10_000, day="2026-12-01")
        order(connection, "o-3", None, 10_000, day="2026-11-30", paid_ts=None, outcome="awaiting_payment")
        november, december, unpaid = (the(connection, f"o-{number}") for number in (1, 2, 3))
        which = ("--scheme", "presale", "--month", "2026-11", "--by", "Li")
        done(ledger, "run", "draft", *which)
        assert closed_month(connection, SHOP, november, ["anna"]) is None, "a draft is not paid"
        close(ledger)
        said = closed_month(connection, SHOP, november, [None, "ben", "anna"])
        assert said is not None
        assert said.english.startswith("2026-11 is closed in pay")
        assert said.chinese.startswith("2026-11 已结账")
        assert closed_month(connection, SHOP, november, ["ben", None]) is None, "nobody pays ben"
        assert closed_month(connection, SHOP, december, ["anna"]) is None
        assert closed_month(connection, SHOP, unpaid, ["anna"]) is None
