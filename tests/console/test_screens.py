"""What the screens show is what the records say."""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from stream_attr.console.accounts import Duty
from stream_attr.console.app import SCREENS
from stream_attr.console.kept import Kept
from stream_attr.console.roles import Role
from stream_attr.console.screens import reports
from stream_attr.console.texts import TEXTS
from stream_attr.explain.decision import explain_decision
from stream_attr.explain.why_not import AgentHistory
from stream_attr.ledger.texts import LANGUAGES
from tests.console.conftest import FROM_HERE, PASSWORD, add
from tests.ledger.pay.world import agent as made_agent
from tests.ledger.pay.world import order as made_order
from tests.ledger.reports.conftest import Traffic
from tests.ledger.reports.handmade import SHOP

PERIOD = {"from": "2026-06", "to": "2027-05"}


@pytest.fixture(scope="session")
def boss(people):
    return people.logged_in("admin")


def rows_of(text, which=0):
    """The rows of a table: of each cell its text and where it leads."""
    table = re.findall(r"<table>(.*?)</table>", text, re.DOTALL)[which]
    return [
        [
            (html.unescape(re.sub("<.*?>", "", cell)).strip(), "".join(re.findall('href="(.*?)"', cell)))
            for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    ]


def day_of(ts):
    return f"{datetime.fromtimestamp(ts / 1000, ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"


def sales_by_agent(traffic: Traffic, shop):
    """By agent the fen of the credited orders that were paid."""
    sales: dict[str, int] = {}
    for one in traffic.decisions:
        if one["shop_id"] == shop and one["credit"] and one["outcome"] == "credited":
            sales[one["credit"]["agent_id"]] = sales.get(one["credit"]["agent_id"], 0) + one["amount"]
    return sales


SUMMED = {"sales amount": "amount", "refunds requested": "refunds requested", "refunds completed": "refunded"}
"""By column of the team's sales, the column of their orders that adds up to it."""


@pytest.mark.parametrize("by", ["agent", "person", "group", "month", "week", "day"])
def test_a_number_leads_to_its_rows_whose_sum_is_the_number(people, boss, by):
    shop = people.shops[0]
    text = boss.get(f"/sales?{urlencode({'shop': shop, 'by': by, **PERIOD})}").text
    head, *rows = rows_of(text)
    columns = [
        (at, SUMMED[figure])
        for at, (name, _) in enumerate(head)
        if (figure := name.partition(" ?")[0]) in SUMMED
    ]
    assert len(columns) == len(SUMMED)
    followed: Counter[str] = Counter()
    for row in [*rows[:8], *rows[-3:]]:
        for index, sum_of in columns:
            number, link = row[index]
            if not link:
                continue
            behind = boss.get(html.unescape(link))
            assert behind.status_code == 200, link
            table = (
                rows_of(behind.text)
                if "<table>" in behind.text
                else [[("", ""), (sum_of, "")], [("0.00", "")] * 2]
            )
            at = [name for name, _ in table[0]].index(sum_of)
            assert table[-1][at][0] == re.sub(r" [A-Z]{3}$", "", number), (row[0], link)
            followed[row[0][0]] += 1
    sellers = set(sales_by_agent(people.traffic, shop))
    if by == "agent":
        assert {one for one in sellers if one in followed} == {row[0][0] for row in rows[:8]} & sellers
    assert len(followed) >= min(len(rows), 3)
    if by not in ("month", "week", "day"):
        assert {"agents", "silent", "shop"} <= set(followed)


@pytest.mark.parametrize("by", ["agent", "person", "group"])
def test_who_was_lost_or_kept_waiting_is_behind_the_number(people, boss, by):
    shop = people.shops[0]
    figures = "inquiries.lost,payments.payment_lost,workload.unreplied,workload.slow_receptions"
    text = boss.get(f"/team?{urlencode({'shop': shop, 'figures': figures, 'by': by, **PERIOD})}").text
    followed = 0
    for row in rows_of(text)[1:]:
        for number, link in row[-4:]:
            if link:
                rows = boss.get(f"{html.unescape(link)}&format=csv").text.splitlines()
                assert len(rows) - 1 == int(number.replace(",", "")), row[0]
                followed += number != "0"
    assert followed > 3


@pytest.mark.parametrize("agent", [None, 0])
def test_what_moved_leads_to_its_orders_whose_sum_is_the_number(people, boss, agent):
    shop = people.shops[0]
    query = {"shop": shop, "from": "2026-11-10", "to": "2026-11-11"}
    if agent is not None:
        query["agent"] = sorted(sales_by_agent(people.traffic, shop))[agent]
    rows = rows_of(boss.get(f"/review?{urlencode(query)}").text)
    at = {name: index for index, (name, _) in enumerate(rows[0])}
    followed = set()
    for row in rows[1:]:
        figure, by = row[at["figure"]][0], row[at["by"]][0]
        for side in ("this period", "the other"):
            number, link = row[at[side]]
            if not link or link.startswith("/receptions"):
                continue
            behind = boss.get(html.unescape(link))
            table = rows_of(behind.text) if "<table>" in behind.text else []
            names = [name for name, _ in table[0]] if table else []
            column = {"sales amount": "amount", "sales quantity": "items"}.get(figure)
            if not table:
                total = "0"
            elif column is None:
                total = f"{len(table) - 2:,}"
            else:
                total = table[-1][names.index(column)][0]
            bare = re.sub(r" [A-Z]{3}$", "", number)
            assert total == re.sub(r"^0\.00$", "0", bare), (figure, by, link)
            followed.add((by, side))
    assert followed == {
        (by, side) for by in ("shop", "agent", "product") for side in ("this period", "the other")
    }


def test_a_partition_of_the_inputs_that_is_behind_is_named_on_every_page(people, boss, monkeypatch):
    monkeypatch.setattr(Kept, "SHORT_S", float("inf"))  # nothing is kept, however slow the machine
    noon = int(datetime(2026, 11, 11, 12, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
    some = [
        ("chat-events", 0, noon),
        ("chat-events", 5, noon - 3_600_000),
        ("order-events", 5, noon - 3_600_000),
    ]
    shop = people.shops[0]
    pages = [f"{path}?{urlencode({'shop': shop, **PERIOD})}" for path in ("/sales", "/quality")]
    sentence = "input partition 5 is behind: judged up to 2026-11-11 11:00:00 only"
    before = [page.replace(PERIOD["from"], "2026-07") for page in pages]  # a page that took long is kept
    assert not any(sentence in boss.get(page).text for page in before)
    with people.database.connection(autocommit=True) as connection:
        for topic, number, watermark in some:
            connection.execute(
                "INSERT INTO input_partition VALUES (%s, %s, 7, NULL, %s, 1)", (topic, number, watermark)
            )
        try:
            texts = [boss.get(page).text for page in pages]
        finally:
            connection.execute("DELETE FROM input_partition")
    assert all(sentence in text for text in texts)
    named = "chat-events up to offset 7, order-events up to offset 7"
    assert [named in text for text in texts] == [False, True]


def test_an_export_is_the_screen_whole(people, boss):
    shop = people.shops[0]
    query = urlencode({"shop": shop, "behind": "sales", "format": "csv", **PERIOD})
    exported = boss.get(f"/orders?{query}")
    assert exported.headers["content-disposition"].startswith('attachment; filename="orders_')
    lines = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    orders = {
        one["order_id"]
        for one in people.traffic.decisions
        if one["shop_id"] == shop and one["outcome"] in ("credited", "silent")
    }
    assert orders <= {line["order"] for line in lines}
    with people.database.connection(autocommit=True) as connection:
        [row] = connection.execute(
            "SELECT login, action, about FROM audit ORDER BY number DESC LIMIT 1"
        ).fetchall()
    assert row[:2] == ("admin", "export")
    assert row[2].startswith("orders 2026-06-01")


def test_pages_of_orders_follow_each_other_without_a_gap(people, boss, monkeypatch):
    monkeypatch.setattr(reports, "PER_PAGE", 7)
    shop = people.shops[0]
    seen = []
    for number in range(1, 500):
        text = boss.get(f"/orders?{urlencode({'shop': shop, 'page': str(number), **PERIOD})}").text
        seen += [row[0][0] for row in rows_of(text)[1:] if row[0][1]]
        if 'rel="next"' not in text:
            break
    assert number > 10
    assert len(seen) == len(set(seen))
    assert set(seen) == {one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop}


def test_agents_are_sorted_by_what_is_asked_for(people, boss):
    shop = people.shops[0]
    sales = sales_by_agent(people.traffic, shop)
    text = boss.get(f"/sales?{urlencode({'shop': shop, 'sort': '-sales.amount', **PERIOD})}").text
    shown = [row[0][0] for row in rows_of(text)[1:] if row[0][0] in sales]
    assert [sales[one] for one in shown] == sorted(sales.values(), reverse=True)


def decision_with(traffic: Traffic, shop, condition):
    return next(one for one in traffic.decisions if one["shop_id"] == shop and condition(one))


def test_an_order_says_whose_it_is_and_every_reason(people, boss):
    shop = people.shops[0]
    decision = decision_with(people.traffic, shop, lambda one: one["credit"] and len(one["candidates"]) > 1)
    text = html.unescape(boss.get(f"/order?{urlencode({'shop': shop, 'order': decision['order_id']})}").text)
    assert f"agent={decision['credit']['agent_id']}" in text
    assert "The receipt supports this verdict and no other." in text
    for line in explain_decision(decision, zone="Asia/Shanghai")[3:]:
        if line.strip() and "(" not in line and "kf-" not in line and "VERDICT" not in line:
            assert line.strip().removeprefix("Verified: ") in text or "receipt below" in line
    revisions = rows_of(text, -1)[1:]
    assert [row[0][0] for row in revisions] == [str(n + 1) for n in range(decision["revision"])]


def test_why_not_another_agent_is_answered(people, boss):
    shop = people.shops[0]
    decision = decision_with(
        people.traffic,
        shop,
        lambda one: one["credit"] and len({each["agent_id"] for each in one["candidates"]}) > 1,
    )
    other = next(
        one["agent_id"] for one in decision["candidates"] if one["agent_id"] != decision["credit"]["agent_id"]
    )
    query = urlencode({"shop": shop, "order": decision["order_id"], "why": other})
    text = html.unescape(boss.get(f"/order?{query}").text)
    assert f"Why not {other}" in text
    expected = explain_decision(decision, why_not=(other, AgentHistory()), zone="Asia/Shanghai")
    assert any(f"Why not {other}" in line for line in expected)


def test_why_not_is_answered_for_any_agent_also_outside_the_window(people, boss):
    shop = people.shops[0]
    receptions = people.traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
    asked = 0
    for decision in people.traffic.decisions:
        if decision["shop_id"] != shop or asked == 3:
            continue
        named = {one["agent_id"] for name in ("candidates", "discarded") for one in decision[name]}
        outside = [
            one
            for one in receptions
            if (one["shop_id"], one["buyer_id"]) == (shop, decision["buyer_id"])
            and one["agent_id"] not in named
        ]
        if not outside or decision["outcome"] != "credited":
            continue
        one = outside[0]
        query = urlencode({"shop": shop, "order": decision["order_id"], "why": one["agent_id"]})
        text = html.unescape(boss.get(f"/order?{query}").text).partition('class="answer"')[2]
        first = datetime.fromtimestamp(one["first_ts"] // 1000, ZoneInfo("Asia/Shanghai"))
        assert f"Why not {one['agent_id']}" in text
        assert f"{first:%Y-%m-%d %H:%M:%S}" in text, "the reception outside is named by its time"
        assert "never spoke" not in text
        asked += 1
    assert asked == 3
    query = urlencode({"shop": shop, "order": decision["order_id"], "why": "<nobody>"})
    text = boss.get(f"/order?{query}").text
    assert "&lt;nobody&gt; never spoke with this buyer." in text


def test_an_order_that_is_not_there_says_what_to_look_at(people, boss):
    answer = boss.get(f"/order?{urlencode({'shop': people.shops[0], 'order': '<b>none'})}")
    assert answer.status_code == 404
    assert "&lt;b&gt;none" in answer.text
    assert "<b>none" not in answer.text


@pytest.mark.parametrize(
    "query", ["from=2026-13", "from=x", "page=0", "page=x", "status=any", "format=pdf", "behind=any"]
)
def test_what_cannot_be_asked_for_is_said(people, boss, query):
    answer = boss.get(f"/orders?shop={people.shops[0]}&{query}")
    assert answer.status_code == 400
    assert "wrong" not in answer.text
    assert 'class="warning"' in answer.text


def form_of(text):
    """What a browser sends when the form of filters is sent as it is."""
    form = re.findall(r'<form class="filters".*?</form>', text, re.DOTALL)[0]
    pairs = [
        (html.unescape(name), html.unescape(value))
        for name, value in re.findall(r'<input type="(?:hidden|date)" name="(.*?)" value="(.*?)"', form)
    ]
    pairs += [
        (name, html.unescape(value))
        for name, value, on in re.findall(r'type="checkbox" name="(.*?)" value="(.*?)"( checked)?', form)
        if on
    ]
    for name, options in re.findall(r'<select name="(.*?)">(.*?)</select>', form, re.DOTALL):
        pairs += [(name, one) for one in re.findall(r"<option selected>(.*?)<", options)]
        pairs += [(name, one) for one in re.findall(r'<option value="([^"]+)" selected>', options)]
    return pairs


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (
            "/orders",
            [("status", "final"), ("status", "pending"), ("outcome", "silent"), ("outcome", "unpaid")],
        ),
        ("/orders", [("reason", "paid"), ("reason", "timer"), ("behind", "sales"), ("basis", "placing")]),
        ("/orders", [("product", "p-1"), ("product", "p 2&3"), ("basket", "several"), ("behind", "sales")]),
        ("/team", [("by", "agent"), ("by", "day")]),
        ("/team", [("group", "one"), ("figures", "sales.amount,sales.orders"), ("compare", "1")]),
        ("/sales", [("by", "group"), ("by", "month"), ("by", "week"), ("sort", "-sales.amount")]),
        ("/losses", [("kind", "lost"), ("kind", "slow")]),
        ("/receptions", [("kind", "counted"), ("weekday", "monday"), ("hour", "09:00"), ("hour", "10:00")]),
        ("/signals", [("kind", "templates"), ("kind", "late_words")]),
    ],
)
def test_a_form_keeps_all_that_it_was_asked_for(people, boss, path, asked):
    shop = people.shops[0]
    days = [("from", "2026-10-19"), ("to", "2026-10-22")]
    agents = sorted({one["agent_id"] for one in people.traffic.agent_days if one["shop_id"] == shop} - {"*"})
    chosen = [("agent", one) for one in agents[:2]]
    if ("group", "one") in asked:
        with people.database.connection() as connection:
            group = connection.execute(
                "SELECT agent_group FROM roster WHERE shop_id = %s AND agent_group IS NOT NULL LIMIT 1",
                (shop,),
            ).fetchone()
        asked = [(name, group[0] if name == "group" else value) for name, value in asked]
    whole = [("shop", shop), *days, *chosen, *asked]
    answer = boss.get(f"{path}?{urlencode(whole)}")
    assert answer.status_code == 200, answer.text
    sent = form_of(answer.text)
    assert sorted(pair for pair in sent if pair[0] != "profile") == sorted(whole)


def test_a_live_screen_is_answered_when_there_is_something_new(people, boss):
    shop = people.shops[0]
    order = next(one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop)
    for path in (
        f"/today?shop={shop}",
        f"/order?shop={shop}&order={order}",
        f"/orders?shop={shop}&page=1&status=final",
    ):
        page = boss.get(path).text
        asks = html.unescape(re.findall('hx-get="(.*?)"', page)[0])
        assert boss.get(asks).status_code == 204
        with people.database.connection(autocommit=True) as connection:
            connection.execute("UPDATE sink_offset SET next = next + 1 WHERE topic = 'attribution-decisions'")
        part = boss.get(asks)
        assert part.status_code == 200
        assert "<html" not in part.text
        assert 'id="live"' in part.text
        links = [one for one in re.findall('href="(/.*?)"', part.text) if path.partition("?")[0] in one]
        assert not [one for one in links if "part=" in one or "mark=" in one]
        assert html.unescape(re.findall('hx-get="(.*?)"', part.text)[0]) != asks


@pytest.mark.parametrize("topic", ["attribution-decisions", "reception-facts", "rulings"])
def test_an_orders_page_is_new_with_each_topic_that_it_rests_on(people, boss, topic):
    shop = people.shops[0]
    order = next(one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop)
    asks = html.unescape(re.findall('hx-get="(.*?)"', boss.get(f"/order?shop={shop}&order={order}").text)[0])
    assert boss.get(asks).status_code == 204
    with people.database.connection(autocommit=True) as connection:
        done = connection.execute("UPDATE sink_offset SET next = next + 1 WHERE topic = %s", (topic,))
        assert done.rowcount
    assert boss.get(asks).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", list(Role))
def test_an_empty_ledger_says_what_to_do(ledger, console, role, language):
    duties = () if role.sees_all_shops else (Duty("jd:soon", "kf-1" if role is Role.AGENT else None),)
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", role, *duties)
    client = console()
    client.post("/login", data={"login": "li", "password": PASSWORD}, headers=FROM_HERE)
    client.cookies.set("language", language)
    screens = [one for one in SCREENS if one.in_menu and role in one.roles]
    assert screens
    for screen in screens:
        answer = client.get(screen.path)
        assert answer.status_code == 200
        assert '<select name="shop">' not in answer.text
        assert TEXTS["no_shop"].of(language) in answer.text, screen.path
        assert ("stream-attr ledger" in answer.text) == role.sees_all_shops
        assert ("jd:soon" in answer.text) != role.sees_all_shops


def test_a_shop_without_agents_says_so(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
        connection.execute(
            "INSERT INTO shop_settings (shop_id, source_partition, source_offset, effective_from, record)"
            " VALUES ('jd:new', 0, 0, '2026-01-01', '{}')"
        )
    client = console()
    client.post("/login", data={"login": "li", "password": PASSWORD}, headers=FROM_HERE)
    text = client.get("/agent").text
    assert TEXTS["no_agent"].english in text
    assert TEXTS["no_shop"].english not in text


def test_no_text_is_left_over():
    folder = Path(reports.__file__).parents[1]
    files = [one for kind in ("*.html", "*.py") for one in folder.rglob(kind) if one.name != "texts.py"]
    words = {word for one in files for word in re.findall(r"""["']([a-z_]+)["']""", one.read_text())}
    begun = tuple(re.findall(r't\("([a-z_]+)" ~', " ".join(one.read_text() for one in files)))
    assert {key for key in set(TEXTS) - words if not key.startswith(begun)} == set()


def test_records_that_cannot_be_used_are_told_on_their_day(people, boss):
    shop = people.shops[0]
    day, ts = "2026-10-20", 1_792_468_800_000  # 2026-10-20 16:00 in Shanghai
    letter = (9, 1, ts, "order-events", "a message", "here", shop)
    with people.database.connection(autocommit=True) as connection:
        connection.execute(
            "INSERT INTO dead_letter (source_partition, source_offset, known_ts, code, topic, message, place,"
            " shop_id) VALUES (%s, %s, %s, 'too_late', %s, %s, %s, %s)",
            letter,
        )
        assert "1 records could not be used: too_late." in boss.get(f"/today?shop={shop}&day={day}").text
        assert "could not be used" not in boss.get(f"/today?shop={shop}&day=2026-10-22").text
        connection.execute("DELETE FROM dead_letter WHERE source_partition = 9")


def test_sales_stand_beside_the_period_before_in_percent_and_in_words(people, boss):
    shop = people.shops[0]
    paid = sorted(
        day_of(one["paid_ts"])
        for one in people.traffic.decisions
        if one["shop_id"] == shop and one["paid_ts"]
    )
    middle = paid[len(paid) // 2]
    first, last = middle, f"{datetime.fromisoformat(middle) + timedelta(days=3):%Y-%m-%d}"
    earlier = [f"{datetime.fromisoformat(middle) - timedelta(days=days):%Y-%m-%d}" for days in (4, 3, 2, 1)]
    days = [f"{datetime.fromisoformat(middle) + timedelta(days=days):%Y-%m-%d}" for days in range(4)]
    sums: dict[str, list[int]] = {}
    for one in people.traffic.decisions:
        if one["shop_id"] == shop and one["outcome"] == "credited":
            of = sums.setdefault(one["credit"]["agent_id"], [0, 0])
            of[0] += one["amount"] * (day_of(one["paid_ts"]) in days)
            of[1] += one["amount"] * (day_of(one["paid_ts"]) in earlier)
    query = urlencode({"shop": shop, "from": first, "to": last, "compare": "1"})
    table = rows_of(boss.get(f"/sales?{query}").text)
    names = [name for name, _ in table[0]]
    at = next(n for n, name in enumerate(names) if name.startswith("sales amount") and "," not in name)
    before = next(n for n, name in enumerate(names) if name.startswith("sales amount, period before"))
    change = next(n for n, name in enumerate(names) if name.startswith("sales amount, change"))
    shown = {row[0][0]: row for row in table[1:] if row[0][0] in sums}
    seen = set()
    for agent, (now, then) in sums.items():
        if agent not in shown:
            assert now == 0
            continue
        row = shown[agent]
        assert row[at][0] == f"{now / 100:,.2f} CNY"
        if then == 0:
            assert row[change][0] == "–"
            continue
        assert row[before][0] == f"{then / 100:,.2f} CNY"
        word = "▲ more" if now > then else "▼ less" if now < then else "= the same"
        sign = "+" if now > then else "\N{MINUS SIGN}" if now < then else ""
        assert row[change][0] == f"{sign}{abs(round((now - then) / then, 4)) * 100:,.2f}%{word}"
        seen.add(word)
    assert len(seen) > 1


@pytest.mark.parametrize(("language", "unit"), [("en", "pp"), ("zh", "百分点")])
def test_a_rate_changes_by_percentage_points(people, boss, language, unit):
    shop = people.shops[0]
    days = sorted({one["day"] for one in people.traffic.agent_days if one["shop_id"] == shop})
    sums = [[0, 0], [0, 0]]
    for one in people.traffic.agent_days:
        if (one["shop_id"], one["agent_id"]) == (shop, "*") and one["day"] in days[2:6]:
            which = sums[one["day"] in days[4:6]]
            which[0] += one["inquiries"]["ordered"]
            which[1] += one["inquiries"]["inquiries"]
    (before, of_before), (now, of_now) = sums
    points = round(round(now / of_now, 4) - round(before / of_before, 4), 4) * 100
    shown = f"{points:+.2f} {unit}".replace("-", "\N{MINUS SIGN}")
    query = {"shop": shop, "from": days[4], "to": days[5], "compare": "1"}
    boss.cookies.set("language", language)
    text = boss.get(f"/team?{urlencode(query)}").text
    boss.cookies.delete("language")
    assert f">{shown}<small" in text
    agent = next(
        one["agent_id"]
        for one in people.traffic.agent_days
        if one["shop_id"] == shop and one["agent_id"] != "*" and one["day"] == days[4]
    )
    boss.cookies.set("language", language)
    text = boss.get(f"/agent?{urlencode({**query, 'agent': agent})}").text
    boss.cookies.delete("language")
    assert re.search(rf"\d\.\d\d {unit} [▲▼=]", text)


def test_a_rate_shows_what_it_is_made_of_and_why_there_is_none(people, boss):
    shop = people.shops[0]
    figures = "inquiries.inquiry_to_order,workload.reply_rate,sales.amount_per_buyer"
    query = urlencode({"shop": shop, **PERIOD, "figures": figures})
    sums: dict[str, list[int]] = {}
    for one in people.traffic.agent_days:
        if one["shop_id"] == shop:
            of = sums.setdefault(one["agent_id"], [0] * 4)
            of[0] += one["inquiries"]["ordered"]
            of[1] += one["inquiries"]["inquiries"]
            of[2] += one["workload"]["receptions"] - one["workload"]["unreplied"]
            of[3] += one["workload"]["receptions"]
    table = rows_of(boss.get(f"/team?{query}").text)
    assert len(table[0]) == 6, "agent, name, group and three figures; what a rate is made of is no column"
    whys = set()
    for row in table[1:]:
        ordered, inquiries, replied, receptions = (
            sums.get(row[0][0], sums["*"]) if row[0][0] != "agents" else [0] * 4
        )
        if row[0][0] == "agents":
            continue
        if inquiries:
            assert row[3][0] == f"{round(ordered / inquiries, 4) * 100:.2f}%{ordered} / {inquiries}"
        else:
            assert row[3][0] == "–no inquiries"
            whys.add("inquiries")
        if receptions:
            assert row[4][0] == f"{round(replied / receptions, 4) * 100:.2f}%{replied} / {receptions}"
    assert whys
    exported = boss.get(f"/team?{query}&format=csv").content.decode("utf-8-sig").splitlines()[0]
    assert exported.count(",") == 5 + 6, "a file has what they are made of in columns of its own"


def test_a_month_of_which_a_pay_run_is_closed_is_marked_wherever_its_figures_are(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
        made_agent(connection, "kf-01", "p-1")
        made_order(connection, "o-1", "kf-01", 12_345, day="2026-11-05")
        connection.execute(
            "INSERT INTO pay_scheme VALUES ('presale', 1, '2026-01-01', '{}', 'boss', 1);"
            " INSERT INTO pay_run (scheme_id, month, version, state, persons, basis, drafted_by, drafted_ts)"
            " VALUES ('presale', '2026-11-01', 1, 'draft', '{p-1,p-2}', '{}', 'li', 1)"
        )
    client = console()
    client.post("/login", data={"login": "li", "password": PASSWORD}, headers=FROM_HERE)
    november = [
        f"/{name}?shop={SHOP}&from=2026-11&to=2026-11"
        for name in ("team", "agent", "sales", "orders", "losses", "pending", "goals", "review", "quality")
    ]
    november.append(f"/today?shop={SHOP}&day=2026-11-05")
    october = [one.replace("2026-11", "2026-10") for one in november]
    for path in november:
        assert "<strong>Locked</strong>" not in client.get(path).text, path
    with ledger.connection(autocommit=True) as connection:
        for state in ("checked", "approved", "closed"):
            connection.execute(
                f"UPDATE pay_run SET state = '{state}', {state}_by = 'boss', {state}_ts = 2"
                " WHERE scheme_id = 'presale'"
            )
    for path in november:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<strong>Locked</strong> 2026-11: a pay run is closed." in answer.text, path
    for path in october:
        assert "<strong>Locked</strong>" not in client.get(path).text, path
    whole_year = client.get(f"/sales?shop={SHOP}&from=2026-01&to=2026-12").text
    assert "<strong>Locked</strong> 2026-11: a pay run is closed." in whole_year
    with ledger.connection(autocommit=True) as connection:
        made_agent(connection, "kf-01", "p-9")
        connection.execute("DELETE FROM roster WHERE person_id = 'p-1'")
    assert "<strong>Locked</strong>" not in client.get(november[0]).text, "the run is of other shops' persons"


def test_the_figures_of_an_agent_stand_beside_those_of_the_period_before(people, boss):
    shop = people.shops[0]
    days = [one for one in people.traffic.agent_days if one["shop_id"] == shop]
    agent_id = max(sales_by_agent(people.traffic, shop).items(), key=lambda one: one[1])[0]
    sold = {one["day"]: one["sales"]["amount"] for one in days if one["agent_id"] == agent_id}

    def in_days(first, count):
        return sum(sold.get(f"{first + timedelta(days=number):%Y-%m-%d}", 0) for number in range(count))

    first = next(
        day
        for day in map(datetime.fromisoformat, sorted(sold))
        if in_days(day, 5) and in_days(day - timedelta(days=5), 5)
    )
    now, then = in_days(first, 5), in_days(first - timedelta(days=5), 5)
    days_of_url = {"from": f"{first:%Y-%m-%d}", "to": f"{first + timedelta(days=4):%Y-%m-%d}"}
    query = urlencode({"shop": shop, "agent": agent_id, **days_of_url})
    text = html.unescape(boss.get(f"/agent?{query}").text)
    tile = re.sub("<.*?>", " ", re.findall(r'<div class="tile">(.*?)</div>', text, re.DOTALL)[0])
    assert f"{now / 100:,.2f} CNY" in tile
    sign = "+" if now > then else "\N{MINUS SIGN}"
    change = f"{sign}{abs(round((now - then) / then, 4)) * 100:,.2f}%"
    assert f"before: {then / 100:,.2f} CNY · {change} {'▲ more' if now > then else '▼ less'}" in tile


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pressure_is_a_map_of_weekdays_by_hours_of_the_same_numbers(people, boss, language):
    boss.cookies.set("language", language)
    query = {"shop": people.shops[0], **PERIOD, "sort": "-weekday"}
    text = boss.get(f"/pressure?{urlencode(query)}").text
    lines = boss.get(f"/pressure?{urlencode({**query, 'format': 'csv'})}").content.decode("utf-8-sig")
    boss.cookies.delete("language")
    rows = list(csv.reader(io.StringIO(lines)))[1:]
    assert len(rows) > 100, "more than a page"
    for which, column in ((0, 3), (1, 5)):
        table = re.findall(r'<table class="heat">(.*?)</table>', text, re.DOTALL)[which]
        hours = re.findall(r'<th scope="col" class="number">(\d\d)</th>', table)
        shown: dict[tuple[str, str], str] = {}
        for day, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table, re.DOTALL):
            numbers = re.findall(r"<td.*?>(?:<a .*?>)?(.*?)(?:</a>)?</td>", cells)
            shown |= {(day, hour): number for hour, number in zip(hours, numbers, strict=True)}
        assert {(row[0], row[1][:2]): row[column] for row in rows} == shown
        days = [day for day, _ in re.findall(r'<tr><th scope="row">(.*?)</th>(.)', table)]
        assert days[0] == ("Monday" if language == "en" else "周一")


@pytest.mark.parametrize("path", sorted(screen.path for screen in reports.REPORT_SCREENS.values()))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_export_has_the_rows_of_its_screen_in_their_order(people, boss, monkeypatch, path, language):
    monkeypatch.setattr(reports, "PER_PAGE", 10_000)
    boss.cookies.set("language", language)
    query = {"shop": people.shops[0], **PERIOD}
    text = boss.get(f"{path}?{urlencode(query)}").text
    exported = boss.get(f"{path}?{urlencode({**query, 'format': 'csv'})}")
    boss.cookies.delete("language")
    lines = list(csv.reader(io.StringIO(exported.content.decode("utf-8-sig"))))
    tables = [one for one in re.findall(r"<table>.*?</table>", text, re.DOTALL) if "<thead>" in one]
    if not tables:
        assert 'class="empty"' in text
        assert len(lines) == 1
        return
    rows = rows_of(tables[0])
    body = len(re.findall("<tr>", tables[0].partition("<tbody>")[2].partition("</tbody>")[0]))
    names = [re.split(r" \?|（|\n", name)[0] for name, _ in rows[0]]
    assert names[0] == lines[0][0]
    texts = [at for at in (0, 1) if names[at] in lines[0]]
    shown = [[row[at][0] for at in texts] for row in rows[1 : 1 + body]]
    wanted = [[line[lines[0].index(names[at])] for at in texts] for line in lines[1 : 1 + body]]
    if path in ("/pressure", "/goals", "/quality"):  # the second column is a number
        shown, wanted = ([[row[0]] for row in rows_] for rows_ in (shown, wanted))
    assert shown == wanted
    assert len(shown) == body > 0


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/team?figures=nothing", 400, "没有指标"),
        ("/team?from=2020-01&to=2026-01", 400, "请缩短"),
        ("/orders?profile=none", 400, "没有按规则"),
        ("/orders?agent=nobody", 400, "没有客服"),
        ("/orders?status=none", 400, "可填"),
        ("/orders?page=0", 400, "请填写不小于 1 的数字"),
        ("/lab?show=none&trial=1", 404, "没有这个页面"),
        ("/audit?before=x", 400, "应为一行的编号"),
    ],
)
def test_a_chinese_page_says_in_chinese_why_it_cannot_be(people, boss, path, status, said):
    boss.cookies.set("language", "zh")
    answer = boss.get(f"{path}&shop={people.shops[0]}")
    boss.cookies.delete("language")
    assert answer.status_code == status
    assert said in answer.text
