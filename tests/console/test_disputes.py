"""Three disputes as a shop manager has them, each settled from the order's page alone, in Chinese.

Li talked with the buyer after the payment; Wang handed the buyer over; nobody's chat counts before a silent
order. What the page must say is derived by hand from the messages below and preset ``jd_cloud``: chat of the
day of the order and of the day before counts, of presale agents alone.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from stream_attr.console.roles import Role
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, SETTINGS
from stream_attr.testing import Driver
from tests.console.conftest import FROM_HERE, PASSWORD, add
from tests.ledger.reports.judged import fill_with

SHOP = "jd:1"
ZONE = ZoneInfo("Asia/Shanghai")
ROLES = {"wang": ("presale", "王芳"), "li": ("presale", "李强"), "zhao": ("aftersale", "赵敏")}
ROSTER_RECORDS = [
    {
        "shop_id": SHOP,
        "agent_id": one,
        "effective_from": "2026-01-01",
        "role": role,
        "name": name,
        "person_id": f"p-{one}",
    }
    for one, (role, name) in ROLES.items()
]
SETTINGS_RECORDS = [{"shop_id": SHOP, "effective_from": "2026-01-01", "preset": "jd_cloud"}]


def at(text):
    """Epoch milliseconds of a day of November and a time."""
    return int(
        datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp() * 1000
    )


def messages(buyer, agent, *times, **more):
    """The buyer and the agent in turn."""
    return [
        (CHAT, {"buyer_id": buyer, "agent_id": agent, "ts": at(one), "text": "x",
                "sender": "agent" if number % 2 else "buyer", **more})
        for number, one in enumerate(times)
    ]  # fmt: skip


def ordered(buyer, order, created, paid, amount):
    return [
        (ORDERS, {"buyer_id": buyer, "order_id": order, "ts": at(ts), "type": word, "amount": amount})
        for word, ts in (("created", created), ("paid", paid))
    ]


EVENTS = [
    *messages("late", "li", "05 10:00:00", "05 10:01:00"),
    *messages("late", "wang", "09 14:00:00", "09 14:01:00", "09 14:02:00", "09 14:03:00"),
    *ordered("late", "o-late", "09 14:10:00", "09 14:20:00", 199_00),
    *messages("late", "li", "09 14:25:00", "09 14:26:00"),
    *messages("moved", "wang", "09 15:00:00", "09 15:00:30"),
    (CHAT, {"buyer_id": "moved", "agent_id": "wang", "ts": at("09 15:01:00"), "type": "transfer",
            "to_agent_id": "li"}),
    (CHAT, {"buyer_id": "moved", "agent_id": "li", "ts": at("09 15:01:30"), "sender": "agent", "text": "x"}),
    *ordered("moved", "o-moved", "09 15:05:00", "09 15:06:00", 329_00),
    *messages("silent", "zhao", "09 09:00:00", "09 09:01:00"),
    (CHAT, {"buyer_id": "silent", "agent_id": "wang", "ts": at("09 09:30:00"), "sender": "agent", "text": "x",
            "kind": "broadcast"}),
    *ordered("silent", "o-silent", "09 16:00:00", "09 16:01:00", 59_00),
    *messages("silent", "li", "09 16:30:00", "09 16:31:00"),
]  # fmt: skip


@pytest.fixture
def browser(ledger, console, tmp_path):
    driver = Driver()
    for topic, records in ((SETTINGS, SETTINGS_RECORDS), (ROSTER, ROSTER_RECORDS)):
        for one in records:
            driver.send(topic, one)
    events = sorted(EVENTS, key=lambda one: one[1]["ts"])
    for number, (topic, event) in enumerate(events):
        driver.send(topic, {"event_id": f"e-{number}", "shop_id": SHOP, **event})
    driver.finish()
    fill_with(ledger, tmp_path, driver, settings=SETTINGS_RECORDS, roster=ROSTER_RECORDS)
    with ledger.connection(autocommit=True) as connection:
        add(connection, "manager", Role.ADMIN)
    client = console()
    client.post("/login", data={"login": "manager", "password": PASSWORD, "next": "/"}, headers=FROM_HERE)
    client.cookies.set("language", "zh")
    return client


def page(browser, order, why=""):
    answer = browser.get(f"/order?shop={SHOP}&order={order}" + (f"&why={why}" if why else ""))
    assert answer.status_code == 200
    return answer.text


def plain(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub("<.*?>", "", text))).strip()


def timeline(text):
    listed = text.partition('<ol class="timeline">')[2].partition("</ol>")[0]
    return [plain(one) for one in listed.split("<li")[1:]]


def verdict(text):
    return plain(text.partition('<p class="big">')[2].partition("</p>")[0])


def test_chat_after_the_payment_is_on_the_page_and_said_not_to_count(browser):
    text = page(browser, "o-late", "li")
    assert verdict(text).startswith("王芳 wang")
    lines = timeline(text)
    assert [re.sub(".*>", "", one)[:19] for one in lines] == [
        "2026-11-08 00:00:00", "2026-11-09 14:00:00", "2026-11-09 14:10:00", "2026-11-09 14:20:00",
        "2026-11-09 14:25:00", "2026-11-10 00:00:00",
    ]  # fmt: skip
    assert "王芳 wang 计入下单前聊天；计入付款前聊天；4 条消息，2 回合" in lines[1]
    assert "– 14:26:00 李强 li 不计入：在付款之后；2 条消息，1 回合" in lines[4]
    answer = plain(text.partition('<section class="answer">')[2].partition("</section>")[0])
    assert "早于询单有效时长（自 2026-11-08 00:00:00 起）" in answer
    assert "在付款之后：第一条消息（2026-11-09 14:25:00）晚了 5 分" in answer


def test_who_handed_the_buyer_over_sees_the_own_reception_and_why_it_does_not_count(browser):
    text = page(browser, "o-moved")
    assert verdict(text).startswith("李强 li")
    lines = timeline(text)
    assert "王芳 wang 不计入：转发，几乎未回复就转给同事；2 条消息，1 回合；把买家转接给了同事" in lines[1]
    assert "李强 li 计入下单前聊天；计入付款前聊天；1 条消息，1 回合；接手同事转接来的买家" in lines[2]
    asked = text.partition('<p class="asked">')[2].partition("</p>")[0]
    [link] = re.findall('href="(.*?)"', asked)
    assert "why=wang" in html.unescape(link)
    assert '<section class="answer">' in browser.get(html.unescape(link)).text


def test_a_silent_order_names_everybody_who_talked_and_why_it_is_nobody_s(browser):
    text = page(browser, "o-silent")
    assert verdict(text).startswith("静默")
    lines = timeline(text)
    assert "赵敏 zhao 不计入：当天岗位为售后，不计业绩" in lines[1]
    assert "王芳 wang 不计入：群发，顾客没有回复" in lines[2]
    assert "李强 li 不计入：在付款之后" in lines[5]
    assert plain(text.partition('<p class="asked">')[2].partition("</p>")[0]).endswith(
        "李强 li 王芳 wang 赵敏 zhao"
    )


def test_no_revision_was_known_before_what_it_rests_on(browser):
    text = page(browser, "o-silent")
    history = text.partition("修订记录")[2]
    known = re.findall(r'<td class="number" id="revision-\d+">\d+</td><td>(.*?)</td>', history)
    assert known == ["2026-11-09 16:00:00", "2026-11-09 16:01:00", "2026-11-10 00:00:00"]


def test_the_buyer_s_page_opens_on_the_days_of_the_chat_that_the_page_shows(browser):
    text = page(browser, "o-late")
    [link] = [html.unescape(one) for one in re.findall('href="(/buyer.*?)"', text)]
    assert "from=2026-11-09&to=2026-11-09" in link
    assert browser.get(link).status_code == 200


def test_an_order_of_a_month_whose_pay_run_is_closed_is_marked_as_locked(ledger, browser):
    with ledger.connection(autocommit=True) as connection:
        connection.execute("INSERT INTO pay_scheme VALUES ('presale', 1, '2026-01-01', '{}', 'boss', 1)")
        for month, is_locked in (("2026-10-01", False), ("2026-11-01", True)):
            connection.execute(
                "INSERT INTO pay_run"
                " (scheme_id, month, version, state, persons, basis, drafted_by, drafted_ts) VALUES"
                " ('presale', %s, 1, 'draft', '{p-wang}', '{}', 'li', 1)",
                (month,),
            )
            for state in ("checked", "approved", "closed"):
                assert "已锁定" not in page(browser, "o-late"), (month, state)
                connection.execute(
                    f"UPDATE pay_run SET state = '{state}', {state}_by = 'boss', {state}_ts = 2"
                    " WHERE month = %s",
                    (month,),
                )
            assert ("<strong>已锁定</strong> 2026-11：" in page(browser, "o-late")) == is_locked, month
