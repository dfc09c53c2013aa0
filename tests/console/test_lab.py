"""The lab on screen: rules are tried in the background, and what came out leads to the orders behind it."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from psycopg_pool import ConnectionPool
from starlette.testclient import TestClient

from stream_attr.console.accounts import Accounts
from stream_attr.console.app import Settings, application
from stream_attr.console.reading import reading
from stream_attr.contract.topics import COMPARISONS, DECISIONS
from stream_attr.files.inputs import Inputs
from stream_attr.lab import runner as running
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet, preset
from stream_attr.lab.runner import Runner
from stream_attr.lab.trials import State, Trial, Trials
from stream_attr.ledger.periods import period
from tests.console.conftest import FROM_HERE, PASSWORD, People
from tests.console.test_appeals import text_of
from tests.lab.files import stored

DAYS = {"from": "2026-06-01", "to": "2027-05-31"}
PATIENCE_S = 120


class World(NamedTuple):
    """A console with stored events of the ledger's shops."""

    people: People
    pool: ConnectionPool[Any]
    runner: Runner
    shop: str

    def browser(self, login: str) -> TestClient:
        app = application(self.pool, Settings(secure=False, lab=self.runner))
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        form = {"login": login, "password": PASSWORD, "next": "/"}
        assert client.post("/login", data=form, headers=FROM_HERE).status_code == 303
        return client

    def trials(self) -> list[Trial]:
        with self.pool.connection() as connection:
            return Trials(connection).latest(self.shop, 50)

    def ended(self) -> Trial:
        """The newest trial, once it has ended."""
        until = time.monotonic() + PATIENCE_S
        while (trial := self.trials()[0]).is_open:
            assert time.monotonic() < until
            time.sleep(0.05)
        return trial


@pytest.fixture(scope="module")
def folder(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def file(name: str) -> str:
        return str(generated / f"{name}.jsonl")

    inputs = Inputs(
        chat=[file("chat")],
        orders=[file("orders"), file("refunds")],
        roster=[file("roster")],
        settings=[file("settings")],
        rulings=[file("rulings")],
    )
    return stored(tmp_path_factory.mktemp("stored"), inputs)


@pytest.fixture
def world(people: People, folder: Path) -> Iterator[World]:
    with people.database.pool(autocommit=True) as pool:
        with pool.connection() as connection:
            connection.execute("DELETE FROM lab_trial")
        found = World(people, pool, Runner(pool, folder), people.shops[0])
        try:
            yield found
        finally:
            if found.runner._thread.is_alive():
                found.runner.stop()


def send(client: TestClient, shop: str, **fields: Any) -> Any:
    """Send the form of the page."""
    token = re.search('name="csrf_token" value="(.*?)"', client.get(f"/lab?shop={shop}").text)
    assert token is not None
    return client.post(f"/lab?shop={shop}", data={"csrf_token": token[1], **fields}, headers=FROM_HERE)


def at(world: World, trial: Trial, **more: str) -> str:
    return f"/lab?{urlencode({'shop': world.shop, 'trial': trial.trial_id, **more})}"


def rows_of(client: TestClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(f"{address}&format=json")
    assert answer.status_code == 200
    return list(json.loads(answer.text)["rows"])


def winners(world: World) -> dict[str, dict[str, str | None]]:
    """By order without a ruling: whose it is by profile, as the ledger's own records say."""
    found: dict[str, dict[str, str | None]] = {}
    for topic in (DECISIONS, COMPARISONS):
        for one in world.people.traffic.last(topic, "shop_id", "order_id", "profile"):
            if one["shop_id"] == world.shop and one["outcome"] in ("credited", "silent"):
                credit = one["credit"]
                found.setdefault(one["order_id"], {})[one["profile"]] = credit and credit["agent_id"]
                if one["ruling"] is not None:
                    found[one["order_id"]]["ruled"] = "yes"
    return {order_id: of for order_id, of in found.items() if "ruled" not in of}


def test_a_trial_says_what_the_ledgers_own_profile_says(world: World) -> None:
    """The shop judges the preset ``chitu`` as a profile too, but without rulings."""
    boss = world.browser("manager")
    answer = send(boss, world.shop, do="try", set=["current", "chitu", "jd_official"], **DAYS)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/lab?shop={world.shop.replace(':', '%3A')}",
    )
    assert "waiting" in boss.get(f"/lab?shop={world.shop}").text
    world.runner.start()
    trial = world.ended()
    assert (trial.state, trial.problem, trial.asked_by) == (State.DONE, None, "manager")
    between = {"before": "current", "after": "chitu"}
    moved = rows_of(boss, at(world, trial, show="orders", **between))
    expected = {
        order_id: (of["official"] or "(silent)", of["first"] or "(silent)")
        for order_id, of in winners(world).items()
        if of["official"] != of["first"]
    }
    assert expected
    assert {row["order"]: (row["from"], row["to"]) for row in moved} == expected
    pairs = rows_of(boss, at(world, trial))
    assert [(row["before"], row["after"]) for row in pairs] == [
        ("current", "chitu"),
        ("current", "jd_official"),
        ("chitu", "jd_official"),
    ]
    assert pairs[0]["moved"] == sum(row["amount"] for row in moved)
    assert "depends on the rule, of 3 judged" in text_of(boss.get(at(world, trial)))


def test_every_number_of_orders_leads_to_them(world: World) -> None:
    boss = world.browser("admin")
    send(boss, world.shop, do="try", set=["current", "chitu"], **DAYS)
    world.runner.start()
    trial = world.ended()
    moved = rows_of(boss, at(world, trial, show="orders"))
    page = boss.get(at(world, trial, show="agents")).text
    links = [html.unescape(one) for one in re.findall(r'href="(/lab\?[^"]*(?:giver|taker)=[^"]*)"', page)]
    assert links
    for link in links:
        who = re.search("(giver|taker)=([^&]*)", link)
        assert who is not None
        field = {"giver": "from", "taker": "to"}[who[1]]
        agent = "(silent)" if who[2] == "-" else who[2]
        assert [row["order"] for row in rows_of(boss, link)] == [
            row["order"] for row in moved if row[field] == agent
        ]
    for row in rows_of(boss, at(world, trial, show="flows")):
        giver, taker = (one if one != "(silent)" else "-" for one in (row["from"], row["to"]))
        behind = rows_of(boss, at(world, trial, show="orders", giver=giver, taker=taker))
        assert (len(behind), sum(one["amount"] for one in behind)) == (row["orders"], row["amount"])
    [line] = rows_of(boss, at(world, trial))
    assert line["moved_orders"] == len(moved)
    text = boss.get(at(world, trial, show="orders")).text
    assert f"order={moved[0]['order']}" in text
    amount = sum(row["amount"] for row in moved)
    totals = text.partition("<tfoot>")[2].partition("</tfoot>")[0]
    assert "href" not in totals
    words = re.sub("<.*?>", " ", totals).split()
    assert words == ["total", str(len(moved)), "orders", f"{amount / 100:,.2f}", "CNY"]


def test_own_rules_and_what_is_wrong_with_them(world: World) -> None:
    boss = world.browser("manager")
    own = {"do": "try", "set": ["current"], "name": "新规", **DAYS}
    answer = send(boss, world.shop, rules='{"credit_rule": "best"}', **own)
    assert (answer.status_code, "rule set 新规: `credit_rule`" in text_of(answer)) == (400, True)
    assert html.escape('{"credit_rule": "best"}', quote=True) in answer.text.replace("&#34;", "&quot;")
    answer = send(boss, world.shop, rules="{}", **{**own, "name": ""})
    assert (answer.status_code, "a name is 1 to 64" in text_of(answer)) == (400, True)
    answer = send(boss, world.shop, do="try", **DAYS)
    assert (answer.status_code, "no rule set to judge by" in text_of(answer)) == (400, True)
    answer = send(boss, world.shop, do="try", set=["mofang"], **DAYS)
    assert (answer.status_code, "there is no preset" in text_of(answer)) == (400, True)
    answer = send(boss, world.shop, do="try", set=["current"], **{"from": "2026-12-01", "to": "2026-11-01"})
    assert answer.status_code == 400
    assert world.trials() == []
    assert send(boss, world.shop, rules='{"credit_rule": "order"}', **own).status_code == 303
    assert world.trials()[0].rule_sets == (AS_IT_STOOD, RuleSet("新规", {"credit_rule": "order"}))


def test_a_trial_is_cancelled_while_it_waits_and_while_it_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = world.browser("manager")
    send(boss, world.shop, do="try", set=["current"], **DAYS)
    [trial] = world.trials()
    assert send(boss, world.shop, do="cancel", trial=trial.trial_id).status_code == 303
    assert world.trials()[0].state is State.CANCELLED
    begun = _endless(monkeypatch)
    world.runner.start()
    send(boss, world.shop, do="try", set=["current"], **DAYS)
    _until(lambda: begun)
    running_now = world.trials()[0]
    assert running_now.state is State.RUNNING
    _until(lambda: "<progress" in boss.get(f"/lab?shop={world.shop}").text)
    assert 'hx-trigger="every 1s"' in boss.get(f"/lab?shop={world.shop}").text
    send(boss, world.shop, do="cancel", trial=running_now.trial_id)
    _until(lambda: begun == ["begun", "ended"])
    assert world.trials()[0].state is State.CANCELLED
    for whole in ("", "&part=live"):
        page = boss.get(f"/lab?shop={world.shop}{whole}").text
        assert 'hx-trigger="every 1s"' not in page
        assert ("<main" in page) == (not whole)


def test_a_console_that_stops_cancels_what_it_judges(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = _endless(monkeypatch)
    send(world.browser("manager"), world.shop, do="try", set=["current"], **DAYS)
    world.runner.start()
    _until(lambda: begun)
    world.runner.stop()
    [trial] = world.trials()
    assert (trial.state, trial.problem) == (State.CANCELLED, "the console was stopped")


def test_a_trial_of_a_process_that_was_killed_is_not_shown_as_running(world: World) -> None:
    with world.pool.connection() as connection:
        Trials(connection).ask(world.shop, (AS_IT_STOOD,), period("2026-11", None), "manager")
        assert Trials(connection).begin() is not None
        assert world.trials()[0].state is State.RUNNING
        connection.execute("UPDATE lab_trial SET progress_ts = progress_ts - 301000")
    assert world.trials()[0].state is State.CANCELLED


def test_waiting_trials_are_taken_once_each_the_oldest_first(world: World) -> None:
    with world.pool.connection() as one, world.pool.connection() as other:
        ids = [
            Trials(one).ask(world.shop, (preset("pdd"),), period("2026-11", None), "manager")
            for _ in range(2)
        ]
        one.execute("UPDATE lab_trial SET asked_ts = asked_ts - 1000 WHERE trial_id = %s", (ids[0],))
        with one.transaction():
            first = Trials(one).begin()
            second = Trials(other).begin()
            assert Trials(other).begin() is None
    assert first is not None
    assert second is not None
    assert [first.trial_id, second.trial_id] == ids


def test_what_goes_wrong_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "judge", fails)
    send(world.browser("manager"), world.shop, do="try", set=["current"], **DAYS)
    world.runner.start()
    trial = world.ended()
    assert (trial.state, trial.problem) == (State.FAILED, "an error of the program: its log says which")


def test_more_than_five_at_once_are_refused(world: World) -> None:
    boss = world.browser("manager")
    for _ in range(5):
        assert send(boss, world.shop, do="try", set=["current"], **DAYS).status_code == 303
    answer = send(boss, world.shop, do="try", set=["current"], **DAYS)
    assert (answer.status_code, "five trials of this shop are under way" in answer.text) == (400, True)


def test_a_rule_set_becomes_a_draft_of_the_next_settings(world: World) -> None:
    boss = world.browser("manager")
    own = {"rules": '{"credit_rule": "order"}', "name": "new"}
    send(boss, world.shop, do="try", set=["current"], **own, **DAYS)
    world.runner.start()
    trial = world.ended()
    assert "Prepare as the shop's next settings" in html.unescape(boss.get(at(world, trial)).text)
    answer = send(boss, world.shop, do="schedule", trial=trial.trial_id, set="new")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/rules/change?")
    with world.pool.connection() as connection:
        found = connection.execute(
            "SELECT content::json, before::json, state FROM rule_change WHERE shop_id = %s"
            " ORDER BY number DESC LIMIT 1",
            (world.shop,),
        ).fetchone()
    assert found is not None
    content, before, state = found
    assert state == "draft"
    assert content["credit_rule"] == "order"
    assert "silent_followup" not in content, "what the rule set does not say is the preset's"
    kept = {name: value for name, value in before.items() if name in ("tasks", "profiles", "timezone")}
    assert kept
    assert {name: content[name] for name in kept} == kept
    assert boss.get(answer.headers["location"]).status_code == 200
    assert send(boss, world.shop, do="schedule", trial=trial.trial_id, set="current").status_code == 404


NOVEMBER = {"from": "2026-11-01", "to": "2026-11-30"}


def test_pay_under_the_current_rules_is_what_the_closed_run_pays(world: World) -> None:
    boss = world.browser("manager")
    page = boss.get(f"/lab?shop={world.shop}").text
    assert "<option>scheme-0</option>" in page
    assert "scheme-1" not in page, "it pays persons of the other shop"
    asked = {"do": "try", "set": ["current", "chitu"], "scheme": "scheme-0"}
    answer = send(boss, world.shop, **asked, **DAYS)
    assert (answer.status_code, "pay is for a month" in answer.text) == (400, True)
    answer = send(boss, world.shop, **{**asked, "scheme": "scheme-1"}, **NOVEMBER)
    assert (answer.status_code, "there is no scheme" in answer.text) == (400, True)
    assert send(boss, world.shop, **asked, **NOVEMBER).status_code == 303
    world.runner.start()
    trial = world.ended()
    assert (trial.state, trial.problem) == (State.DONE, None)
    rows = rows_of(boss, at(world, trial, show="pay"))
    with world.pool.connection() as connection:
        statements = connection.execute(
            "SELECT person_id, pay FROM pay_statement WHERE scheme_id = 'scheme-0' AND month = '2026-11-01'"
        ).fetchall()
        stored_result = connection.execute("SELECT result::text FROM lab_trial").fetchone()
        looks = connection.execute(
            "SELECT count(*) FROM audit WHERE action = 'look at pay' AND about LIKE %s",
            (f"%{trial.trial_id}%",),
        ).fetchone()
    assert len(statements) > 3
    assert {row["person"]: row["pay_0"] for row in rows} == dict(statements)
    assert any(row["pay_0"] != row["pay_1"] for row in rows)
    assert all(row["difference"] == row["pay_1"] - row["pay_0"] for row in rows)
    assert stored_result is not None
    assert json.loads(stored_result[0])["pay"] is None, "whoever sees the trial does not see pay"
    assert looks == (1,)


def test_pay_is_not_there_for_who_may_not_see_it(world: World) -> None:
    boss = world.browser("manager")
    send(boss, world.shop, do="try", set=["current"], scheme="scheme-0", **NOVEMBER)
    world.runner.start()
    trial = world.ended()
    reviewer = world.browser("reviewer")
    assert reviewer.get(at(world, trial)).status_code == 200
    assert reviewer.get(at(world, trial, show="pay")).status_code == 404
    assert "show=pay" not in reviewer.get(at(world, trial)).text
    with world.pool.connection() as connection:
        account = Accounts(connection).find("reviewer")
        with reading(connection, account):
            assert connection.execute("SELECT FROM lab_pay").fetchall() == []
    assert len(rows_of(world.browser("auditor"), at(world, trial, show="pay"))) > 3
    without = send(boss, world.shop, do="try", set=["current"], **NOVEMBER)
    assert without.status_code == 303
    assert boss.get(at(world, world.ended(), show="pay")).status_code == 404


def test_another_shops_trial_is_not_there(world: World) -> None:
    other = world.people.shops[1]
    with world.pool.connection() as connection:
        name = Trials(connection).ask(other, (AS_IT_STOOD,), period("2026-11", None), "admin")
    boss = world.browser("manager")
    assert boss.get(f"/lab?shop={world.shop}&trial={name}").status_code == 404
    assert boss.get(f"/lab?shop={other}&trial={name}").status_code == 404
    assert send(boss, world.shop, do="cancel", trial=name).status_code == 404
    assert world.browser("admin").get(f"/lab?shop={other}&trial={name}").status_code == 200


def test_who_may_not_change_rules_sees_trials_and_begins_none(world: World) -> None:
    send(world.browser("manager"), world.shop, do="try", set=["current"], **DAYS)
    auditor = world.browser("auditor")
    page = auditor.get(f"/lab?shop={world.shop}").text
    assert 'value="try"' not in page
    assert 'value="cancel"' not in page
    assert "manager" in page


def test_without_stored_events_the_page_says_how(people: People) -> None:
    shop = people.shops[0]
    page = people.logged_in("manager").get(f"/lab?shop={shop}").text
    assert "No events of this shop are stored" in page
    assert 'value="try"' not in page


@pytest.mark.parametrize(
    "query", ["show=x", "before=current&after=current", "before=current&after=nobody", "page=x", "format=x"]
)
def test_what_is_not_there_to_be_asked_for(world: World, query: str) -> None:
    boss = world.browser("manager")
    send(boss, world.shop, do="try", set=["current", "pdd"], **DAYS)
    world.runner.start()
    assert boss.get(f"{at(world, world.ended())}&{query}").status_code == 400


def _endless(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have a trial go on until it is told to end; what it has done."""
    begun: list[str] = []

    def judge(*_: Any, progress: Callable[[int, int], None], **__: Any) -> None:
        begun.append("begun")
        try:
            while True:
                progress(5, 10)
                time.sleep(0.02)
        finally:
            begun.append("ended")

    monkeypatch.setattr(running, "judge", judge)
    monkeypatch.setattr(running, "_PROGRESS_EVERY_S", 0.0)
    return begun


def _until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
