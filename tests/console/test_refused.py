"""Records that could not be used: a shop's for its people, those of none for those who see all shops."""

from __future__ import annotations

import re

import pytest

from stream_attr.console.accounts import Duty
from stream_attr.console.roles import Role
from stream_attr.wall_clock import wall_clock_ms
from tests.console.conftest import FROM_HERE, PASSWORD, add

LETTERS = [
    *[("jd:1", "bad_value")] * 2,
    *[("jd:2", "bad_value")] * 3,
    *[(None, "not_json")] * 4,
    *[("jd:ghost", "bad_value")] * 5,
    *[(None, "bad_value")] * 6,
]


@pytest.fixture
def browser_of(ledger, console):
    """Somebody's browser, by role; the shops jd:1 and jd:2 are known by their rosters."""
    now = wall_clock_ms()
    with ledger.connection(autocommit=True) as connection:
        for number, shop in enumerate(("jd:1", "jd:2")):
            connection.execute(
                "INSERT INTO roster (shop_id, agent_id, source_partition, source_offset, effective_from,"
                " role) VALUES (%s, 'kf-1', 0, %s, '2026-01-01', 'presale')",
                (shop, number),
            )
        for number, (shop_id, code) in enumerate([*LETTERS, ("jd:1", "too_late")]):
            known_ts = now if code != "too_late" else now - 40 * 86_400_000
            connection.execute(
                "INSERT INTO dead_letter VALUES (0, %s, %s, %s, NULL, 'order-events', 'x', 'y', %s, NULL)",
                (number, known_ts, code, shop_id),
            )
        add(connection, "admin", Role.ADMIN)
        add(connection, "auditor", Role.AUDITOR)
        add(connection, "manager", Role.MANAGER, Duty("jd:1"))

    def browser(role):
        found = console()
        found.post("/login", data={"login": str(role), "password": PASSWORD}, headers=FROM_HERE)
        return found

    return browser


def refused_lines(text):
    """Lines that tell of refused records."""
    words = re.sub(r"\s+", " ", re.sub("<.*?>", "", text))
    return sorted(re.findall(r"\d+ records (?:of no known shop )?could not be used: \w+", words))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_who_sees_all_shops_sees_those_of_no_known_shop_too(browser_of, role):
    assert refused_lines(browser_of(role).get("/today?shop=jd:1").text) == [
        "11 records of no known shop could not be used: bad_value",
        "2 records could not be used: bad_value",
        "4 records of no known shop could not be used: not_json",
    ]


def test_a_manager_sees_the_shops_own(browser_of):
    assert refused_lines(browser_of(Role.MANAGER).get("/today?shop=jd:1").text) == [
        "2 records could not be used: bad_value"
    ]


@pytest.mark.parametrize(
    ("role", "elsewhere"), [(Role.ADMIN, ["11 bad_value, 4 not_json"]), (Role.MANAGER, [])]
)
def test_data_health_counts_the_shop_that_is_asked_for(browser_of, role, elsewhere):
    text = browser_of(role).get("/quality?shop=jd:1").text
    assert re.findall(r"Shop jd:1: records refused, of any day: ([\w, ]+)\.", text) == [
        "2 bad_value, 1 too_late"
    ]
    assert re.findall(r"No known shop: records refused, of any day: ([\w, ]+)\.", text) == elsewhere
