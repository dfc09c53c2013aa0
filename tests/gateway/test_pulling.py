"""Lists that are asked for: nothing is missed, whatever changes or fails meanwhile."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from stream_attr.adapters.calls import Listing
from stream_attr.errors import UnusableError
from stream_attr.gateway.http_calls import CallFailedError, Http
from stream_attr.gateway.platform_client import ConnectedApi, PlatformClient, SecretFile
from stream_attr.gateway.positions import Positions
from stream_attr.gateway.pulling import OVERLAP_S, CursorPull, Keeping, ListPull, QueuePull
from tests.gateway.signed_api import SECRETS, signed_api
from tests.gateway.test_platform_client import APIS

NOW = int(time.time())
ORDERS = {
    "taobao": ("taobao.trades.sold.increment.get", "tid"),
    "jd": ("jingdong.pop.order.search", "orderId"),
    "pinduoduo": ("pdd.order.number.list.increment.get", "order_sn"),
    "doudian": ("order.searchList", "order_id"),
}
LISTS = [(platform, listing.name) for platform, api in APIS.items() for listing in api.lists]


@pytest.fixture
def api():
    with signed_api() as running:
        yield running


class Trial:
    """One list of a platform, and what was kept of it."""

    def __init__(self, api, folder, platform: str, name: str) -> None:
        for one, secret in SECRETS[platform].items():
            (folder / one).write_text(secret)
        self.api, self.http = api, Http(5)
        files = {one: SecretFile(folder / one, one) for one in SECRETS[platform]}
        connected = ConnectedApi(APIS[platform], api.url(platform), files, 100, ())
        self.client = PlatformClient(connected, self.http, sleep=lambda _: None)
        self.kept: list[bytes] = []
        self.settled: list[bytes] = []
        self.file = folder / "positions.json"
        self.positions = Positions(self.file)
        self.keeping = Keeping(self.kept.append, self.settle)
        cursor = APIS[platform].cursor
        if cursor is not None:
            self.messages = CursorPull(cursor, self.client, self.keeping, self.positions, "it")
            return
        self.listing: Listing = next(one for one in APIS[platform].lists if one.name == name)
        self.pull = ListPull(self.listing, self.client, self.keeping, self.positions, "it")

    def settle(self) -> None:
        self.settled = list(self.kept)

    def all(self, now: int = NOW, since: int = NOW - 7200) -> int:
        """Ask for everything up to now; the number of windows."""
        windows = 1
        while self.pull.step(now, since):
            windows += 1
            assert windows < 200
        return windows

    def ids(self, field: str) -> set[str]:
        return set(found(list(map(json.loads, self.kept)), field))


@pytest.fixture
def trial(api, tmp_path):
    made = []

    def of(platform: str, name: str = "orders") -> Trial:
        made.append(Trial(api, tmp_path, platform, name))
        return made[-1]

    yield of
    for one in made:
        one.http.close()


def found(document: Any, field: str) -> list[str]:
    if isinstance(document, dict):
        here = [str(document[field])] if field in document else []
        return here + [one for inner in document.values() for one in found(inner, field)]
    return [one for inner in document for one in found(inner, field)] if isinstance(document, list) else []


@pytest.mark.parametrize(("platform", "name"), LISTS)
def test_every_list_is_asked_for_in_windows_as_the_platform_takes_them(platform, name, api, trial):
    """The platform of the tests refuses a window that is too long, and a call that is signed wrongly."""
    one = trial(platform, name)
    windows = one.all()
    assert api.refused == []
    assert one.kept == [], "an empty list is not kept"
    assert one.pull.until_s() == NOW - 5
    assert windows == -(-7195 // (one.listing.span_s - OVERLAP_S)) or windows == 1
    assert one.pull.step(NOW, 0) is False
    calls = len(api.called)
    assert one.pull.step(NOW + 60, 0) is False
    assert len(api.called) == calls + 1
    assert one.pull.until_s() == NOW + 55


@pytest.mark.parametrize("platform", ORDERS)
def test_what_was_changed_comes_whatever_changes_while_it_is_read(platform, api, trial):
    """After every page the first order is changed again: it leaves the window, the others move up."""
    method, field = ORDERS[platform]
    one = trial(platform)
    size = one.listing.page_size
    changes = [(NOW - 1700 + number // 5, {field: f"{number}"}) for number in range(4 * size + 7)]
    api.changes[method] = list(changes)
    moved: list[str] = []

    def change() -> None:
        _, order = api.changes[method].pop(0)
        api.changes[method].append((NOW + 30, order))
        moved.append(order[field])

    api.between_pages = change
    one.all(since=NOW - 1720)
    api.between_pages = lambda: None
    assert len(moved) >= 6
    assert one.all(now=NOW + 120) == 1
    assert one.ids(field) == {order[field] for _, order in changes}


@pytest.mark.parametrize("platform", ORDERS)
def test_what_a_platform_shows_late_takes_nothing_with_it(platform, api, trial):
    """While pages are read an order appears at the window's beginning: the others move behind."""
    method, field = ORDERS[platform]
    one = trial(platform)
    api.changes[method] = [(NOW - 1000, {field: f"{number}"}) for number in range(3 * one.listing.page_size)]
    late = [f"late-{number}" for number in range(2)]

    def show() -> None:
        if late:
            api.changes[method].insert(0, (NOW - 1500, {field: late.pop()}))

    one.positions.set("it", NOW - 1600)
    api.between_pages = show
    one.all()
    assert one.ids(field) == {order[field] for _, order in api.changes[method]}
    assert one.pull.until_s() == NOW - 5


@pytest.mark.parametrize("platform", ORDERS)
def test_what_fails_is_asked_for_again_from_the_same_place(platform, api, trial):
    method, field = ORDERS[platform]
    one = trial(platform)
    count = 3 * one.listing.page_size
    api.changes[method] = [(NOW - 600, {field: f"{number}"}) for number in range(count)]
    one.positions.set("it", NOW - 900)
    for calls in range(4):
        before = len(api.called)
        api.between_pages = lambda calls=calls, before=before: (
            setattr(api, "failing", 1) if len(api.called) - before == calls else None
        )
        api.failing = int(calls == 0)
        with pytest.raises(CallFailedError, match="says"):
            one.pull.step(NOW, 0)
        assert Positions(one.file).get("it") == NOW - 900
    api.failing, api.between_pages = 0, lambda: None
    one.kept.clear()
    assert one.pull.step(NOW, 0) is False
    assert one.ids(field) == {f"{number}" for number in range(count)}
    assert Positions(one.file).get("it") == NOW - 5
    assert one.settled == one.kept


def test_a_window_with_very_many_is_divided(api, trial):
    method, field = ORDERS["taobao"]
    one = trial("taobao")
    api.changes[method] = [(NOW - 1700 + number // 4, {field: number}) for number in range(6_000)]
    assert one.all(since=NOW - 1720) > 3
    assert one.ids(field) == {str(number) for number in range(6_000)}
    pages = [int(given["page_no"]) for called, given in api.called if called == method]
    assert max(pages) <= 2_000 // 50


def test_a_window_is_asked_for_again_in_part(api, trial):
    """What a platform shows two minutes late is not missed."""
    method, field = ORDERS["jd"]
    one = trial("jd")
    one.all()
    api.changes[method] = [(NOW - 5 - OVERLAP_S, {field: "late"}), (NOW - 6 - OVERLAP_S, {field: "too late"})]
    one.all(now=NOW + 10)
    assert one.ids(field) == {"late"}


def test_a_reply_that_does_not_say_how_many_there_are_is_not_taken_for_none(api, trial, monkeypatch):
    one = trial("jd")
    refused = {
        "jingdong_pop_order_search_responce": {"searchorderinfo_result": {"apiResult": {"success": False}}}
    }
    monkeypatch.setattr(api, "_jd", lambda *_: refused)
    with pytest.raises(CallFailedError, match="does not say how many there are: missing_field: orderTotal"):
        one.pull.step(NOW, NOW - 600)
    assert one.pull.until_s() is None


def test_messages_are_confirmed_when_they_are_kept(api, trial):
    one = trial("taobao")
    queue = APIS["taobao"].queue
    assert queue is not None
    api.queue = [{"id": 2**60 + number, "topic": "t", "content": "{}"} for number in range(150)]
    broken = QueuePull(queue, one.client, Keeping(one.kept.append, lambda: 1 / 0))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        broken.step(NOW, 0)
    assert len(api.queue) == 150, "not kept, so not confirmed"
    one.kept.clear()
    pull = QueuePull(queue, one.client, one.keeping)
    assert [pull.step(NOW, 0) for _ in range(3)] == [True, True, False]
    assert api.queue == []
    assert one.ids("id") == {str(2**60 + number) for number in range(150)}
    assert pull.until_s() == NOW


def test_messages_after_a_mark_come_all_and_once(api, trial):
    """An empty page in between is not the end; what fails is asked for again after the same mark."""
    one = trial("wechat_kf")
    api.messages = [{"msgid": f"{number}"} for number in range(12)]
    assert one.messages.step(NOW, 0) is True
    api.failing = 1
    with pytest.raises(CallFailedError, match="says 45009 refused"):
        one.messages.step(NOW, 0)
    assert one.messages.until_s() is None
    while one.messages.step(NOW, 0):
        pass
    assert [found(json.loads(body), "msgid") for body in one.kept] == [
        [str(number) for number in range(first, last)] for first, last in ((0, 5), (5, 10), (10, 12))
    ]
    assert one.messages.until_s() == NOW
    assert one.settled == one.kept
    api.messages.append({"msgid": "12"})
    while one.messages.step(NOW, 0):
        pass
    assert found(json.loads(one.kept[-1]), "msgid") == ["12"]
    assert len(one.kept) == 4
    assert Positions(one.file).mark("it").startswith("13-")


def test_a_reply_without_its_mark_is_refused(api, trial, monkeypatch):
    one = trial("wechat_kf")
    monkeypatch.setattr(api, "_wechat_kf", lambda *_: {"errcode": 0, "has_more": "maybe"})
    with pytest.raises(CallFailedError, match="answers with something unreadable: bad_type: has_more"):
        one.messages.step(NOW, 0)


def test_a_queue_that_cannot_be_read_is_waited_for(api, trial, monkeypatch):
    one = trial("taobao")
    queue = APIS["taobao"].queue
    assert queue is not None
    broken = {"tmc_messages_consume_response": {"messages": {"tmc_message": [{"topic": "no id"}]}}}
    monkeypatch.setattr(api, "_taobao", lambda *_: broken)
    with pytest.raises(CallFailedError, match="answers with something unreadable: missing_field: id"):
        QueuePull(queue, one.client, one.keeping).step(NOW, 0)
    assert one.kept == []


def test_positions_survive_and_a_file_that_is_none_is_named(tmp_path):
    file = tmp_path / "p.json"
    Positions(file).set("jd/main/orders", 7)
    assert Positions(file).get("jd/main/orders") == 7
    assert Positions(file).get("jd/main/refunds") is None
    file.write_text("[1")
    with pytest.raises(UnusableError, match=r"p\.json is no file of positions"):
        Positions(file)
    with pytest.raises(UnusableError, match="cannot be read or written: File exists; see --position"):
        Positions(file / "q.json")
    Positions(tmp_path / "new" / "p.json").set("a", 1)
    assert Positions(tmp_path / "new" / "p.json").get("a") == 1
