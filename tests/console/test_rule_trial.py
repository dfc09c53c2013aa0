"""What a change of rules or roster would have done to last month, worked out by hand."""

from __future__ import annotations

import time
from typing import Any

import pytest

from stream_attr.console.changes.checks import value_of
from stream_attr.console.changes.drafts import Change, Drafts, Preview, State, digest_of
from stream_attr.console.changes.previews import Previews
from stream_attr.console.changes.trial import tried
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.lab.result import Sum
from stream_attr.ledger.periods import Period
from tests.console.rule_events import FIRST, SHOP, folder_of, last_month

FAR = "2098-12-01"


def change_of(topic, **fields):
    document = {"shop_id": SHOP, "effective_from": FAR, **fields}
    empty: Any = [None] * len(Change._fields)
    return Change._make(empty)._replace(
        shop_id=SHOP,
        topic=topic,
        agent_id=fields.get("agent_id"),
        content=value_of(document).decode(),
        digest=digest_of(document),
        state=State.DRAFT,
        seen_by=[],
    )


def moves(result):
    pair = result.pair(*result.rule_sets)
    return [(one.order.order_id, one.before.agent_id, one.after.agent_id) for one in pair.moves]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("stored"))


def test_a_change_of_settings_is_tried_as_if_it_had_held(folder):
    told = []
    change = change_of(SETTINGS, preset="jd_cloud", credit_rule="order")
    result = tried(folder, change, last_month(), lambda read, of: told.append((read, of)))
    assert moves(result) == [("o-1", "kf-2", "kf-1")]
    money = {one.agent_id: one.sums for one in result.money}
    assert money == {
        "kf-1": (Sum(1, 50_00, 50_00), Sum(2, 150_00, 150_00)),
        "kf-2": (Sum(1, 100_00, 100_00), Sum()),
    }
    [contested] = result.contested
    assert (contested.contested.amount, contested.total.amount) == (100_00, 150_00)
    assert told[0][0] == 0
    assert told[-1] == (10, 10), "six messages and four order events"


def test_so_is_a_role_in_place_of_all_that_the_roster_has_of_the_agent(folder):
    told = []
    change = change_of(ROSTER, agent_id="kf-1", role="frozen", name="小李")
    result = tried(folder, change, last_month(), lambda read, of: told.append((read, of)))
    assert moves(result) == [("o-2", "kf-1", None)]
    money = {one.agent_id: one.sums for one in result.money}
    assert money == {
        "kf-1": (Sum(1, 50_00, 50_00), Sum()),
        "kf-2": (Sum(1, 100_00, 100_00), Sum(1, 100_00, 100_00)),
        None: (Sum(), Sum(1, 50_00, 50_00)),
    }
    assert told[-1] == (20, 20), "both rosters"


def test_what_changes_nothing_moves_nothing(folder):
    assert moves(tried(folder, change_of(SETTINGS, preset="jd_cloud"), last_month(), lambda *_: None)) == []


def test_without_orders_of_the_period_nothing_is_known(folder):
    change = change_of(SETTINGS, preset="pdd")
    month = last_month()
    with pytest.raises(UnusableError, match=r"no order that was paid from .* is among the stored events"):
        tried(folder, change, Period(month.first - 400, month.first - 370), lambda *_: None)
    with pytest.raises(UnusableError, match="holds no events of shop jd:2"):
        tried(folder, change._replace(shop_id="jd:2"), month, lambda *_: None)


def prepared(connection, **fields):
    drafts = Drafts(connection, SHOP)
    document = {**FIRST, "effective_from": FAR, **fields}
    number = drafts.save(None, SETTINGS, document, FIRST, "basis", "li")
    assert number is not None
    return drafts, drafts.find(number)


def ended(drafts, change):
    while drafts.find(change.number).shown is Preview.RUNNING:
        time.sleep(0.02)
    return drafts.find(change.number)


@pytest.mark.parametrize(
    ("error", "state", "problem"),
    [
        (UnusableError("nothing is stored"), Preview.IMPOSSIBLE, "nothing is stored"),
        (StreamAttrError("a process died"), Preview.FAILED, "a process died"),
        (ZeroDivisionError("secret"), Preview.FAILED, None),
    ],
)
def test_a_preview_that_comes_to_nothing_says_why(ledger, error, state, problem):
    def trial(_change, _period, _progress):
        raise error

    with ledger.pool(autocommit=True) as pool, pool.connection() as connection:
        drafts, change = prepared(connection)
        Previews(pool, trial).start(change, last_month())
        found = ended(drafts, change)
    assert (found.shown, found.preview_problem) == (state, problem)


def test_a_preview_of_a_content_that_changed_meanwhile_is_given_up(ledger):
    with ledger.pool(autocommit=True) as pool, pool.connection() as connection:
        drafts, change = prepared(connection)
        begun, goes_on = [], []

        def trial(changed, _period, progress):
            begun.append(changed.number)
            while True:
                progress(1, 2)
                goes_on.append(1)
                time.sleep(0.02)

        Previews(pool, trial).start(change, last_month())
        while not begun:
            time.sleep(0.02)
        drafts.save(
            change.number, SETTINGS, {**FIRST, "effective_from": FAR, "preset": "pdd"}, FIRST, "basis", "li"
        )
        assert drafts.find(change.number).shown is Preview.NONE
        time.sleep(1)
        counted = len(goes_on)
        time.sleep(0.3)
        assert len(goes_on) == counted
        again = drafts.find(change.number)
        assert drafts.begin_preview(again)
        assert not drafts.begin_preview(again), "one at a time"


def test_what_was_begun_by_a_console_that_is_gone_can_be_begun_again(ledger):
    with ledger.connection(autocommit=True) as connection:
        drafts, change = prepared(connection)
        assert drafts.begin_preview(change)
        connection.execute("UPDATE rule_change SET preview_ts = preview_ts - 60001")
        assert drafts.find(change.number).shown is Preview.FAILED
        assert drafts.begin_preview(change)
