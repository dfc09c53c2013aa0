"""The preview of a change of rules or roster: what it would have done to last month, worked out by hand."""

from __future__ import annotations

import pytest

from stream_attr.console.changes.drafts import Change, Drafts
from stream_attr.console.changes.previews import Preview, ask_preview, preview_of
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.lab import runner as lab
from stream_attr.lab.judge import judge
from stream_attr.lab.result import Sum
from stream_attr.lab.roster_change import judge_roster
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet
from stream_attr.lab.runner import Runner
from stream_attr.lab.trials import State, Trials
from stream_attr.ledger.periods import Period
from tests.console.rule_events import FIRST, SHOP, folder_of, last_month
from tests.kafka.worker_process import until

FAR = "2098-12-01"
FROZEN = {"shop_id": SHOP, "agent_id": "kf-1", "effective_from": FAR, "role": "frozen", "name": "小李"}


def moves(result):
    pair = result.pair(*result.rule_sets)
    return [(one.order.order_id, one.before.agent_id, one.after.agent_id) for one in pair.moves]


def saved(connection, document, number=None, topic=SETTINGS, basis="basis") -> Change:
    """A draft, once it is kept."""
    found = Drafts(connection, SHOP).save(number, topic, document, None, basis, "li")
    assert found is not None
    return again(connection, found)


def again(connection, number) -> Change:
    """A draft as it is now."""
    found = Drafts(connection, SHOP).find(number)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("stored"))


def test_a_role_is_tried_in_place_of_all_that_the_roster_has_of_the_agent(folder):
    told = []
    result = judge_roster(
        folder,
        FROZEN,
        last_month(),
        ("now", "then"),
        processes=1,
        progress=lambda read, of: told.append((read, of)),
    )
    assert moves(result) == [("o-2", "kf-1", None)]
    assert {one.agent_id: one.sums for one in result.money} == {
        "kf-1": (Sum(1, 50_00, 50_00), Sum()),
        "kf-2": (Sum(1, 100_00, 100_00), Sum(1, 100_00, 100_00)),
        None: (Sum(), Sum(1, 50_00, 50_00)),
    }
    assert told[-1] == (20, 20), "six messages and four order events, by both rosters"


def test_a_role_of_an_agent_that_is_new_is_tried_too(folder):
    new = {**FROZEN, "agent_id": "kf-2", "role": "aftersale"}
    result = judge_roster(
        folder, new, last_month(), ("now", "then"), processes=1, progress=lambda _read, _of: None
    )
    # By the payment agent: kf-2 no longer counts, and the last one to chat before the payment is kf-1.
    assert moves(result) == [("o-1", "kf-2", "kf-1")]


@pytest.fixture
def tried(ledger, folder):
    """What previews a draft of this content and period, and returns the preview."""
    with ledger.pool(autocommit=True) as pool, pool.connection() as connection:
        runner = Runner(pool, folder)
        runner.start()

        def tried(topic, document, period):
            change = saved(connection, document, topic=topic)
            ask_preview(connection, change, period, "li")
            change = again(connection, change.number)
            assert preview_of(connection, change).state is Preview.RUNNING
            runner.look()
            until(lambda: preview_of(connection, change).state is not Preview.RUNNING)
            return preview_of(connection, change)

        yield tried
        runner.stop()


def test_a_change_of_settings_is_tried_as_if_it_had_held(tried):
    document = {**FIRST, "effective_from": FAR, "credit_rule": "order"}
    found = tried(SETTINGS, document, last_month())
    assert found.state is Preview.DONE
    assert moves(found.result) == [("o-1", "kf-2", "kf-1")]
    assert {one.agent_id: one.sums for one in found.result.money} == {
        "kf-1": (Sum(1, 50_00, 50_00), Sum(2, 150_00, 150_00)),
        "kf-2": (Sum(1, 100_00, 100_00), Sum()),
    }
    [contested] = found.result.contested
    assert (contested.contested.amount, contested.total.amount) == (100_00, 150_00)


def test_a_change_of_the_roster_is_tried(tried):
    assert moves(tried(ROSTER, FROZEN, last_month()).result) == [("o-2", "kf-1", None)]


def test_what_changes_nothing_moves_nothing(tried):
    found = tried(SETTINGS, {**FIRST, "effective_from": FAR}, last_month())
    assert (found.state, moves(found.result)) == (Preview.DONE, [])


def test_a_period_without_orders_says_nothing(tried):
    month = last_month()
    found = tried(SETTINGS, {**FIRST, "preset": "pdd"}, Period(month.first - 400, month.first - 370))
    assert found.state is Preview.EMPTY
    assert found.state.says_nothing


def test_a_preview_that_has_failed_says_why(tried, monkeypatch):
    def fails(*_arguments, **_options):
        raise StreamAttrError("a process died")

    monkeypatch.setattr(lab, "judge", fails)
    found = tried(SETTINGS, {**FIRST, "effective_from": FAR}, last_month())
    assert (found.state, found.trial.problem) == (Preview.FAILED, "a process died")
    assert found.state.says_nothing


def test_a_preview_is_of_one_content_and_a_cancelled_one_is_none(ledger):
    with ledger.connection(autocommit=True) as connection:
        document = {**FIRST, "effective_from": FAR}
        number = saved(connection, document).number

        def state():
            return preview_of(connection, again(connection, number)).state

        for _ in range(2):
            ask_preview(connection, again(connection, number), last_month(), "li")
        assert len(Trials(connection).latest(SHOP, 10)) == 1
        # Saved again as it is, it keeps its preview; on another basis, or as another content, it does not.
        saved(connection, document, number)
        assert state() is Preview.RUNNING
        saved(connection, document, number, basis="other")
        assert state() is Preview.NONE
        ask_preview(connection, again(connection, number), last_month(), "li")
        saved(connection, {**document, "preset": "pdd"}, number, basis="other")
        assert state() is Preview.NONE
        ask_preview(connection, again(connection, number), last_month(), "li")
        trial = preview_of(connection, again(connection, number)).trial
        assert trial is not None
        assert Trials(connection).end(trial, State.CANCELLED)
        assert state() is Preview.NONE


def test_of_a_shop_without_events_nothing_is_tried(folder):
    with pytest.raises(UnusableError, match="holds no events of shop jd:2"):
        judge(folder, "jd:2", (AS_IT_STOOD, RuleSet("x", {"preset": "pdd"})), last_month())
    with pytest.raises(UnusableError, match="holds no events of shop jd:2"):
        judge_roster(
            folder,
            {**FROZEN, "shop_id": "jd:2"},
            last_month(),
            ("a", "b"),
            processes=1,
            progress=lambda _read, _of: None,
        )
