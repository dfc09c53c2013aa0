"""Pay on screen: what it shows is what the ledger says, to whoever may see it, and to nobody else."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from stream_attr.console.accounts import Accounts
from stream_attr.ledger.database.connect import Database
from tests.console.conftest import FROM_HERE, PASSWORD
from tests.console.pay_world import paid_shops, put
from tests.ledger.pay.world import BASE, COMMISSION, agent, close, known_until, order, scheme

RUN = "/pay/run?scheme=presale&month=2026-11"


@pytest.fixture
def paid(ledger: Database) -> Database:
    paid_shops(ledger)
    return ledger


@pytest.fixture
def logged_in(paid: Database, console: Callable[[], TestClient]) -> Callable[[str], TestClient]:
    assert paid.address

    def log_in(login: str) -> TestClient:
        client = console()
        form = {"login": login, "password": PASSWORD, "next": "/"}
        assert client.post("/login", data=form, headers=FROM_HERE).status_code == 303
        return client

    return log_in


def page(browser: TestClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, (address, answer.text)
    assert answer.headers["cache-control"] == "no-store"
    return html.unescape(answer.text)


def sent(browser: TestClient, address: str, **fields: str):
    """Send the form of a page, with its token."""
    found = re.search(TOKEN, browser.get(address).text)
    token = {"csrf_token": found[1]} if found else {}
    return browser.post(address, data={**fields, **token}, headers=FROM_HERE)


def part(pattern: str, text: str) -> str:
    """What a pattern finds."""
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, pattern
    return found[1]


TOKEN = 'name="csrf_token" value="(.*?)"'


def warning(text: str) -> str:
    found = re.search('<p class="warning" role="alert">(.*?)</p>', html.unescape(text), re.DOTALL)
    return re.sub("<.*?>", "", found[1]) if found else ""


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.connection(autocommit=True) as connection:
        return connection.execute("SELECT login, action, about FROM audit ORDER BY number").fetchall()


def test_a_run_goes_from_draft_to_closed_through_two_persons(paid: Database, logged_in):
    payroll, manager = logged_in("payroll"), logged_in("manager")
    form = {"do": "draft", "scheme": "presale", "month": "2026-11"}
    token = part(TOKEN, payroll.get("/pay").text)
    answer = payroll.post("/pay/run", data={**form, "csrf_token": token}, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, RUN)
    text = page(payroll, RUN)
    assert "4,610.01 CNY" in text
    assert "Nobody is paid for 1 orders of agent jd:1/carl" in text
    assert "No scheme pays p-5" in text
    assert sent(payroll, RUN, do="check").status_code == 303
    assert "You have drafted this run: another person has to approve it." in page(payroll, RUN)
    answer = sent(payroll, RUN, do="approve")
    assert answer.status_code == 400
    assert "payroll has drafted the run of scheme presale for 2026-11" in warning(answer.text)
    assert sent(manager, RUN, do="approve").status_code == 303
    assert sent(manager, RUN, do="close").status_code == 403
    assert sent(payroll, RUN, do="close").status_code == 303
    text = page(payroll, RUN)
    assert "Closed by payroll" in text
    assert 'name="do"' not in text.partition("<main")[2]
    assert "never changes" in warning(sent(payroll, RUN, do="discard").text)
    acts = [one for one in audited(paid) if one[1].endswith("pay run")]
    about = "presale 2026-11"
    assert acts == [
        ("payroll", "draft pay run", about),
        ("payroll", "check pay run", about),
        ("manager", "approve pay run", about),
        ("payroll", "close pay run", about),
    ]


@pytest.mark.parametrize(("person", "login"), [("p-1", "manager"), ("p-2", "admin")])
def test_who_is_paid_by_a_run_sees_so_and_cannot_approve_it(paid: Database, logged_in, person, login):
    with paid.connection(autocommit=True) as connection:
        Accounts(connection).set_person(login, person)
    payroll, own = logged_in("payroll"), logged_in(login)
    run_of(payroll)
    sent(payroll, RUN, do="check")
    text = page(own, RUN)
    assert f"You are paid by this run, as {person}: somebody who is not has to approve it." in text
    assert 'value="approve"' not in text
    answer = sent(own, RUN, do="approve")
    assert answer.status_code == 400
    said = (
        f"{login} is paid by the run of scheme presale for 2026-11, as {person}: somebody who is not has to"
    )
    assert said in warning(answer.text)
    own.cookies.set("language", "zh")
    assert f"{login} 即 {person}" in warning(sent(own, RUN, do="approve").text)
    assert [what for _, what, _ in audited(paid)].count("approve pay run") == 0
    with paid.connection(autocommit=True) as connection:
        Accounts(connection).set_person(login, "p-9")  # of another run
    assert sent(own, RUN, do="approve").status_code == 303


def test_a_month_with_something_pending_is_closed_by_a_tick_alone(paid: Database, logged_in):
    with paid.connection() as connection:
        order(connection, "o-7", "anna", 100_000, status="pending")
    payroll, manager = logged_in("payroll"), logged_in("manager")
    run_of(payroll)
    sent(payroll, RUN, do="check")
    sent(manager, RUN, do="approve")
    text = page(payroll, RUN)
    assert "1 orders of 1,000.00 CNY that are pending, until 2026-12-20 00:00:00" in text
    answer = sent(payroll, RUN, do="close")
    assert answer.status_code == 400
    assert "1 orders and 0 agents' days of 2026-11 could still change" in warning(answer.text)
    assert sent(payroll, RUN, do="close", as_it_stands="yes").status_code == 303
    assert audited(paid)[-1][1:] == ("close pay run", "presale 2026-11 as it stands, 1 orders pending")


def test_a_refusal_is_in_the_readers_language(paid: Database, logged_in):
    known_until(paid, "2026-11-29")
    payroll = logged_in("payroll")
    run_of(payroll)
    sent(payroll, RUN, do="check")
    payroll.cookies.set("language", "zh")
    assert "由 payroll 起草，须由另一人批准" in warning(sent(payroll, RUN, do="approve").text)
    fields = {"person": "p-5", "scheme": "presale", "first_day": "2026-11-16", "last_day": "2026-11-01"}
    assert "早于入职日" in warning(sent(payroll, "/pay/persons", **fields).text)


def test_a_month_is_not_closed_before_its_end(paid: Database, logged_in):
    known_until(paid, "2026-11-29")
    payroll, manager = logged_in("payroll"), logged_in("manager")
    run_of(payroll)
    sent(payroll, RUN, do="check")
    sent(manager, RUN, do="approve")
    said = warning(sent(payroll, RUN, do="close", as_it_stands="yes").text)
    assert "2026-11 ends 2026-12-01 00:00:00, and the ledger had come to 2026-11-29 00:00:00" in said


def run_of(browser: TestClient, month: str = "2026-11") -> None:
    token = part(TOKEN, browser.get("/pay").text)
    form = {"do": "draft", "scheme": "presale", "month": month, "csrf_token": token}
    answer = browser.post("/pay/run", data=form, headers=FROM_HERE)
    assert answer.status_code == 303, warning(answer.text)


@pytest.mark.parametrize("login", ["auditor", "manager", "anna", "reviewer", "payroll-2"])
def test_who_may_not_draft_does_not(paid: Database, logged_in, login: str):
    browser = logged_in(login)
    token = part(TOKEN, browser.get("/figures").text)
    form = {"do": "draft", "scheme": "presale", "month": "2026-11", "csrf_token": token}
    answer = browser.post("/pay/run", data=form, headers=FROM_HERE)
    assert answer.status_code in (403, 404)
    with paid.connection() as connection:
        assert connection.execute("SELECT FROM pay_run").rowcount == 0


@pytest.mark.parametrize("path", ["/pay/run", "/pay/persons", "/pay/edit"])
def test_a_form_without_its_token_does_nothing(logged_in, path: str):
    answer = logged_in("admin").post(path, data={"do": "draft"}, headers=FROM_HERE)
    assert answer.status_code == 403


def november(database: Database) -> None:
    close(database, known="2026-12-03")
    close(database, scheme_id="elsewhere", known="2026-12-03")
    known_until(database, "2026-12-25")


def test_an_agent_sees_own_pay_alone(paid: Database, logged_in):
    november(paid)
    anna = logged_in("anna")
    assert "4,610.01 CNY" in page(anna, "/pay")
    text = page(anna, "/pay/statement?person=p-1&month=2026-11")
    assert "net sales 85,000.50" in text
    for other in ("p-2", "p-9"):
        for path in ("/pay/statement", "/pay/simulator", "/pay/so-far"):
            page(anna, f"{path}?person={other}&month=2026-11", 404)
    for path in ("/pay/run?scheme=presale&month=2026-11", "/pay/persons", "/pay/schemes", "/pay/edit"):
        page(anna, path, 404)
    page(anna, "/pay/scheme?scheme=elsewhere", 404)
    assert "from 30,000.00" in page(anna, "/pay/scheme?scheme=presale")
    for path in ("/pay", "/pay/simulator?month=2026-11", "/pay/so-far?month=2026-11"):
        text = page(anna, path)
        assert not re.search("p-2|p-9|Ben|Dora", text)
    page(anna, "/pay/simulator?month=2026-11&other=elsewhere 1", 400)


def test_an_agent_sees_a_statement_once_its_run_is_closed(paid: Database, logged_in):
    payroll, anna = logged_in("payroll"), logged_in("anna")
    run_of(payroll)
    page(payroll, "/pay/statement?person=p-1&month=2026-11")
    page(anna, "/pay/statement?person=p-1&month=2026-11", 404)
    assert "There is no statement of yours yet" in page(anna, "/pay")
    november(paid)
    page(anna, "/pay/statement?person=p-1&month=2026-11")


def test_an_agent_who_is_no_person_sees_no_pay(logged_in):
    carl = logged_in("carl")
    for path in ("/pay", "/pay/simulator", "/pay/so-far"):
        assert "Nobody whose pay you may see is paid by a scheme." in page(carl, path)


def test_an_account_that_the_roster_gives_to_another_sees_anothers_pay_no_more(paid: Database, logged_in):
    november(paid)
    with paid.connection() as connection:
        agent(connection, "anna", "p-2", "2026-02-01")
    anna = logged_in("anna")
    page(anna, "/pay/statement?person=p-1&month=2026-11", 404)
    with paid.connection() as connection:
        agent(connection, "anna", "p-1", "2100-01-01")
    page(anna, "/pay/statement?person=p-1&month=2026-11", 404)


def test_who_was_said_to_be_a_person_is_that_one_whatever_the_roster_says(paid: Database, logged_in):
    november(paid)
    with paid.connection(autocommit=True) as connection:
        Accounts(connection).set_person("anna", "p-1")
        agent(connection, "anna", "p-2", "2026-02-01")
    anna = logged_in("anna")
    page(anna, "/pay/statement?person=p-1&month=2026-11")
    page(anna, "/pay/statement?person=p-2&month=2026-11", 404)


def test_whose_agents_are_on_another_shop_too_is_seen_by_whoever_sees_both(paid: Database, logged_in):
    november(paid)
    payroll = logged_in("payroll")
    page(payroll, RUN)
    with paid.connection() as connection:
        agent(connection, "ben-2", "p-2", shop_id="jd:2")
    page(payroll, RUN, 404)
    page(payroll, "/pay/statement?person=p-2&month=2026-11", 404)
    page(payroll, "/pay/statement?person=p-1&month=2026-11")
    assert "p-2" not in page(payroll, "/pay/persons")
    admin = logged_in("admin")
    page(admin, RUN)
    page(admin, "/pay/statement?person=p-2&month=2026-11")


def table(text: str, number: int = 0) -> list[list[str]]:
    rows = re.findall(
        r"<tr.*?>(.*?)</tr>", re.findall(r"<table.*?>(.*?)</table>", text, re.DOTALL)[number], re.DOTALL
    )
    return [
        [
            html.unescape(re.sub("<.*?>", "", cell)).strip()
            for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in rows
    ]


EXPORTED = (
    (RUN, 0),
    (f"{RUN}&what=comparison", 1),
    ("/pay/statement?person=p-1&month=2026-11", 0),
    ("/pay/simulator?person=p-1&month=2026-11&orders=100.00", 0),
    ("/pay/so-far?person=p-1&month=2026-11", 0),
)


def as_in_csv(cell: str) -> str:
    """What a cell of a page is in a file of values separated by commas."""
    text = cell.replace(",", "").replace("\N{MINUS SIGN}", "-").removesuffix(" CNY")
    if re.fullmatch(r"[\d.]+%", text):
        return f"{float(text[:-1]) / 100:.4f}"
    return "" if text == "–" else text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_export_is_the_screen(paid: Database, logged_in, language: str):
    november(paid)
    payroll = logged_in("payroll")
    payroll.cookies.set("language", language)
    for address, number in EXPORTED:
        [_, *shown, _] = table(payroll.get(address).text, number)
        text = payroll.get(f"{address}&format=csv").content.decode("utf-8-sig")
        [_, *exported] = list(csv.reader(io.StringIO(text)))
        assert [[cell.replace(",", "") for cell in row] for row in exported] == [
            [as_in_csv(cell) for cell in row] for row in shown
        ], address
        assert audited(paid)[-1][:2] == ("payroll", "export")


def test_a_statement_is_a_workbook_too(paid: Database, logged_in):
    november(paid)
    answer = logged_in("anna").get("/pay/statement?person=p-1&month=2026-11&format=xlsx")
    assert 'filename="statement_2026-11-01_2026-11-30.xlsx"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        assert any(b"o-3" in book.read(name) for name in book.namelist())


def test_a_statement_leads_to_its_orders_and_says_what_is_corrected(paid: Database, logged_in):
    november(paid)
    with paid.connection() as connection:
        order(connection, "o-3", "anna", 6_265_484, refunds=[("2026-12-05", 500_050)], revision=3)
    known_until(paid, "2027-01-02")
    payroll = logged_in("payroll")
    run_of(payroll, "2026-12")
    text = page(payroll, "/pay/statement?person=p-1&month=2026-12")
    # 80,000.00 pays 550.00: 60.01 less than the 610.01 that were paid.
    assert table(text, 1)[1] == ["2026-11", "−60.01 CNY", "0.00 CNY", "4,610.01 CNY", "4,550.00 CNY"]
    assert "62,654.84 → 57,654.34" in text
    links = set(re.findall(r'href="(/order\?.*?)"', text))
    assert links == {"/order?shop=jd%3A1&order=o-3"}


def test_many_orders_of_a_statement_are_shown_when_asked_for(paid: Database, logged_in):
    with paid.connection() as connection:
        for number in range(101):
            order(connection, f"x-{number:03}", "ben", 1_000)
    november(paid)
    ben = logged_in("ben")
    text = page(ben, "/pay/statement?month=2026-11")
    assert "Show all 101 orders" in text
    assert "x-007" not in text
    assert "x-007" in page(ben, "/pay/statement?month=2026-11&orders=all")


def test_a_scheme_is_checked_by_the_same_code_and_kept(paid: Database, logged_in):
    payroll = logged_in("payroll")
    next_one = scheme({**BASE, "amount": 500_000}, COMMISSION, version=2, effective_from="2026-12-01")
    wrong = json.loads(json.dumps(next_one))
    wrong["components"][1]["tiers"][2]["from"] = 2_000_000
    answer = sent(payroll, "/pay/edit", do="put", document=json.dumps(wrong))
    assert answer.status_code == 400
    assert "`components[1].tiers[2].from` is 2000000, not more than the 3000000 before it" in warning(
        answer.text
    )
    assert '"from": 2000000' in html.unescape(answer.text), "what was written stays"
    assert "cannot be read" in warning(sent(payroll, "/pay/edit", do="check", document="{").text)
    answer = sent(payroll, "/pay/edit", do="check", document=json.dumps(next_one))
    assert "This can be paid by. It is not kept yet." in answer.text
    assert "5,000.00 a month" in answer.text
    answer = sent(payroll, "/pay/edit", do="put", document=json.dumps(next_one))
    assert answer.headers["location"] == "/pay/scheme?scheme=presale&version=2"
    text = page(payroll, "/pay/schemes")
    assert "2 (from 2026-12-01)" in text
    assert ("payroll", "put scheme", "presale 2") in audited(paid)
    three = {**next_one, "version": 3}
    token = {"csrf_token": part(TOKEN, payroll.get("/pay/edit").text), "do": "put", "document": "{}"}
    for content, status in ((json.dumps(three).encode(), 303), (b"\xff", 400)):
        files = {"file": ("scheme.json", content)}
        assert payroll.post("/pay/edit", data=token, files=files, headers=FROM_HERE).status_code == status
    other = {**next_one, "scheme_id": "elsewhere"}
    answer = sent(payroll, "/pay/edit", do="put", document=json.dumps(other))
    assert "which pays persons of other shops" in warning(answer.text)


@pytest.mark.parametrize("preset", ["tiered-commission", "kpi-points", "ranking", "double-allocation"])
def test_a_preset_can_be_kept_as_it_is_offered(logged_in, preset: str):
    payroll = logged_in("payroll")
    text = page(payroll, f"/pay/edit?preset={preset}")
    document = part("<textarea.*?>(.*?)</textarea>", text)
    assert sent(payroll, "/pay/edit", do="put", document=document).status_code == 303
    words = page(payroll, f"/pay/scheme?scheme={preset}")
    assert ("The last 15% by net sales" in words) == (preset == "ranking")


def test_a_person_is_entered_and_a_wrong_one_says_why(paid: Database, logged_in):
    payroll = logged_in("payroll")
    assert "No scheme pays p-5, who is an agent of these shops" in page(payroll, "/pay/persons")
    fields = {"person": "p-5", "name": "Eva", "scheme": "presale", "first_day": "2026-11-16"}
    answer = sent(payroll, "/pay/persons", **{**fields, "last_day": "2026-11-01"})
    assert "--to 2026-11-01 is before --from 2026-11-16" in warning(answer.text)
    assert 'value="Eva"' in answer.text
    for change in ({"person": "p-9"}, {"person": "nobody"}, {"scheme": "elsewhere"}):
        answer = sent(payroll, "/pay/persons", **{**fields, **change})
        assert answer.status_code == 400, change
    assert sent(payroll, "/pay/persons", **fields, probation_until="2026-12-31").status_code == 303
    [row] = [one for one in table(page(payroll, "/pay/persons")) if one[0] == "p-5"]
    assert row[:6] == ["p-5", "Eva", "presale", "2026-11-16", "–", "2026-12-31"]
    assert ("payroll", "set paid person", "p-5: presale, 2026-11-16 2026-12-31") in audited(paid)


LOW = {"kind": "below", "score": "kpi", "points": 70, "times": 2, "months": 2}
LAST = {"kind": "last", "by": "sales.net_amount", "share": "50%"}
BANDS = [{"from": 0, "points": 60}, {"from": 3, "points": 90}]
KPI = {
    "kind": "score",
    "id": "kpi",
    "amount": 100_000,
    "items": [
        {
            "figure": "sales.orders",
            "weight": "100%",
            "bands": [{"from": 0, "points": 60}, {"from": 3, "points": 90}],
        }
    ],
}


def test_who_is_last_or_low_is_told_to_the_manager_and_nothing_is_taken(paid: Database, logged_in):
    with paid.connection() as connection:
        put(connection, scheme(BASE, KPI, version=2, warnings=[LAST, LOW]))
    november(paid)
    known_until(paid, "2027-01-02")
    payroll, manager = logged_in("payroll"), logged_in("manager")
    run_of(payroll, "2026-12")
    # Anna has 90 points in November and 60 in December, Ben 60 twice.
    text = page(manager, "/pay/run?scheme=presale&month=2026-11")
    assert "For the manager: p-2 is place 2 of 2 by sales.net_amount. Nothing follows by itself." in text
    assert "few points" not in text
    text = page(manager, "/pay/run?scheme=presale&month=2026-12")
    told = "For the manager: p-2 has few points (score.kpi), in 2 of the months looked at."
    assert told in text
    assert "p-1 has few points" not in text
    [ben] = [row for row in table(text) if row[0] == "p-2"]
    assert ben[2:5] == ["4,000.00 CNY", "600.00 CNY", "4,600.00 CNY"]
    assert "For the manager" not in page(logged_in("ben"), "/pay/statement?month=2026-11")
    assert "few points" not in page(logged_in("ben"), "/pay/scheme?scheme=presale")
    assert "named to the manager" in page(manager, "/pay/scheme?scheme=presale&version=2")


def test_what_would_be_is_calculated_and_kept_nowhere(paid: Database, logged_in):
    anna = logged_in("anna")
    text = page(anna, "/pay/simulator?month=2026-11&orders=1,000.00")
    assert "is not" in warning(text) or text.count("difference"), "said, or taken"
    # 85,000.50 and 14,999.50 more: 1.2 % of 20,000.00 beside 150.00 and 400.00 are 790.00.
    rows = table(page(anna, "/pay/simulator?month=2026-11&orders=10000.00 4999.50"))
    assert [row[1:4] for row in rows if row[0] == "commission"] == [
        ["610.01 CNY", "790.00 CNY", "179.99 CNY"]
    ]
    rows = table(page(anna, "/pay/simulator?month=2026-11&figure:sales.net_amount=20000.00"))
    assert [row[2] for row in rows if row[0] == "commission"] == ["100.00 CNY"]
    [need] = [row[5] for row in rows if row[0] == "commission"]
    assert need == "10,000.00 more of net sales"
    assert "is not" in warning(anna.get("/pay/simulator?month=2026-11&figure:sales.net_amount=x").text)
    with paid.connection() as connection:
        assert connection.execute("SELECT FROM pay_run").rowcount == 0


def test_the_agents_page_leads_to_own_pay_so_far(paid: Database, logged_in):
    anna = logged_in("anna")
    text = page(anna, "/agent?shop=jd:1&from=2026-11&to=2026-11")
    inline = part('hx-get="(/pay/so-far.*?)"', text)
    shown = page(anna, inline)
    assert "<html" not in shown
    assert "610.01 CNY" in shown
    assert audited(paid)[-1] == ("anna", "look at pay", "pay so far of p-1 2026-11"), (
        "also where a page asks by itself"
    )
    assert "/pay/so-far" not in page(logged_in("carl"), "/agent?shop=jd:1")
    assert "/pay/so-far?person=p-2" in page(logged_in("manager"), "/agent?shop=jd:1&agent=ben")
    assert "/pay/so-far" not in page(logged_in("reviewer"), "/agent?shop=jd:1&agent=ben")


def test_every_look_is_in_the_audit(paid: Database, logged_in):
    november(paid)
    auditor = logged_in("auditor")
    looks = {
        "/pay": "runs",
        RUN: "run presale 2026-11",
        "/pay/statement?person=p-1&month=2026-11": "statement p-1 2026-11",
        "/pay/schemes": "schemes",
        "/pay/scheme?scheme=presale": "scheme presale 1",
        "/pay/persons": "persons",
        "/pay/simulator?person=p-1&month=2026-11": "what would be of p-1 2026-11",
        "/pay/so-far?person=p-1&month=2026-11": "pay so far of p-1 2026-11",
    }
    for address, about in looks.items():
        page(auditor, address)
        assert audited(paid)[-1] == ("auditor", "look at pay", about)
    assert 'name="do"' not in page(auditor, RUN), "an auditor looks and changes nothing"
