"""Platforms that are asked, by signed calls: from their lists to decisions, whatever fails meanwhile."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS, raw_topic
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.testing import Driver
from tests.adapters.platforms import changed, documents, sample
from tests.adapters.test_decisions import SETTINGS
from tests.gateway.platform_api import KEY, platform_api
from tests.gateway.signed_api import api_secrets, signed_api
from tests.gateway.test_platform_client import APIS
from tests.kafka.conftest import any_broker
from tests.kafka.gateway_process import AdaptProcess, GatewayProcess, connections_file
from tests.kafka.test_platform_to_decision import BUYERS, HELPDESK, ORDER, PAID, PLACED, jd_orders
from tests.kafka.worker_process import WorkerProcess, messages, read_json, until

PLATFORMS = tuple(ORDER)


@dataclass
class PullProcess(WorkerProcess):
    """``stream-attr pull`` on a broker; ``args``: more of its options."""

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "stream_attr", "pull", *self.args),
            f"--broker={self.bootstrap}",
            f"--topic-prefix={self.prefix}",
            f"--web-port={self.port}",
        ]


@pytest.fixture
def started() -> Iterator[list[Any]]:
    processes: list[Any] = []
    yield processes
    for process in processes:
        if process.runs():
            process.kill()


@pytest.fixture
def api():
    """Each platform has one order, changed an hour ago, and its refund, asked for half an hour ago."""
    now = int(time.time())
    with signed_api() as running:
        for platform in ("taobao", "pinduoduo", "doudian"):
            calls = APIS[platform].details
            for (name, key), document in documents(platform).items():
                running.documents[calls[name](key).method, key] = document
        [jd] = jd_orders()["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["orderInfoList"][
            :1
        ]
        name = "jingdong_pop_order_get_responce"
        whole = {name: {"orderDetailInfo": {"orderInfo": jd}}}
        running.documents["jingdong.pop.order.get", ORDER["jd"]] = whole
        taobao = sample("taobao", "trade_fullinfo_single")["trade_fullinfo_get_response"]["trade"]
        pdd = sample("pinduoduo", "order_information_grouped")["order_info_get_response"]["order_info"]
        doudian = sample("doudian", "order_orderDetail")["data"]["shop_order_detail"]
        refund = {
            "aftersale_id": "7800000000000000001",
            "aftersale_type": 1,
            "refund_amount": 19900,
            "refund_status": 1,
            "apply_time": PLACED // 1000 + 86_400,
            "update_time": PLACED // 1000 + 86_400,
        }
        running.changes = {
            "jingdong.pop.order.search": [(now - 3600, jd)],
            "jingdong.pop.afs.soa.refundapply.queryPageList": [
                (now - 1800, sample("jd", "afs_refundapply_queryPageList")["queryResult"]["result"][0])
            ],
            "taobao.trades.sold.increment.get": [(now - 3600, taobao)],
            "pdd.order.number.list.increment.get": [(now - 3600, pdd)],
            "pdd.refund.list.increment.get": [
                (
                    now - 1800,
                    sample("pinduoduo", "refund_list_increment_get")["refund_increment_get_response"][
                        "refund_list"
                    ][0],
                )
            ],
            "order.searchList": [(now - 3600, doudian)],
            "afterSale.List": [
                (now - 1800, {"aftersale_info": refund, "order_info": {"shop_order_id": ORDER["doudian"]}})
            ],
        }
        running.queue = [sample("taobao", "tmc_RefundCreated")]
        yield running


@pytest.fixture
def accounts(api, tmp_path):
    """One file with an account of each platform that is asked for all it can be asked for."""
    (tmp_path / "key").write_text(KEY)
    with platform_api({("buyer", one): {"buyer_id": "31"} for one in BUYERS}) as buyers:

        def of(*platforms: str):
            made = []
            bridge = {"url": f"{buyers.url}/buyer/{{id}}", "header_files": {"X-Key": str(tmp_path / "key")}}
            for platform in platforms:
                file = connections_file(tmp_path / platform, [platform])
                [account] = json.loads(file.read_text())["connections"]
                if platform in APIS:
                    signing = {"url": api.url(platform), "per_second": 50, "pull": APIS[platform].pulled()}
                    account["api"] = {**signing, "secret_files": api_secrets(tmp_path, platform)}
                    account["bridge"] = bridge
                    account["secret_files"] = {}
                else:
                    account["secret_files"] = {
                        name: f"{platform}/{path}" for name, path in account["secret_files"].items()
                    }
                made.append(account)
            file = tmp_path / "connections.json"
            file.write_text(json.dumps({"connections": made}))
            return file

        yield of


def test_what_is_asked_for_ends_as_one_decision_each(broker, topic_prefix, tmp_path, api, accounts, started):
    bootstrap, prefix = broker.bootstrap, topic_prefix
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=[*PLATFORMS, "chatwoot"])
    file = accounts(*PLATFORMS, "chatwoot")
    api.failing = 5
    position = tmp_path / "position.json"
    once: tuple[str, ...] = (f"--connections={file}", f"--position={position}", "--once")
    for _ in range(2):
        pull = PullProcess(bootstrap, prefix, tmp_path / "pull", once)
        started.append(pull.start())
        assert pull.wait() == 0, pull.output()
        since = (
            f"--connections={file}",
            f"--position={position}",
            "--once",
            f"--since={int(time.time() - 7200)}000",
        )
        once = since
    assert "is asked for again" in pull.log.read_text() or api.failing == 0
    assert set(api.refused) <= {7, "23", 70031, 40003}, "every call was signed rightly, by its token"
    assert api.queue == [], "what is kept is confirmed"
    for platform in PLATFORMS:
        kept = messages(bootstrap, prefix + raw_topic(platform))
        assert {message.key() for message in kept} == {b"main"}
    for secret in ("tb-secret", "tb-session-1", "jd-secret", "pdd-token-1", "dd-secret"):
        assert secret not in pull.log.read_text()

    lines = [
        {"connection": "main", "received_ts": PLACED, "body": json.dumps(one)}
        for one in (
            changed(sample("chatwoot", name), conversation__meta__sender__identifier="31")
            for name in HELPDESK
        )
    ]
    chats = tmp_path / "chats.jsonl"
    chats.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for platform in PLATFORMS:
        process = AdaptProcess(
            bootstrap, prefix, tmp_path / f"adapt-{platform}", (platform, f"--connections={file}")
        )
        started.append(process.start().until_ready())
        count = len(messages(bootstrap, prefix + raw_topic(platform)))
        process.until_adapted(count)
        assert process.stop() == 0
    chat = PullProcess(bootstrap, prefix, tmp_path / "chat")
    chat.command = lambda: [  # type: ignore[method-assign]
        *(sys.executable, "-m", "stream_attr", "adapt", "chatwoot"),
        *(f"--connections={file}", f"--from={chats}", f"--broker={bootstrap}", f"--topic-prefix={prefix}"),
    ]
    started.append(chat.start())
    assert chat.wait() == 0, chat.output()

    driver = Driver(settings=[SETTINGS])
    for topic in (CHAT, ORDERS):
        for _, event in read_json(bootstrap, prefix + topic):
            driver.send(topic, event)
    driver.finish()
    assert [one for one in driver.emitted if one.topic == "dead-letters"] == []
    decisions = driver.last("attribution-decisions")
    for platform, order in ORDER.items():
        decision = decisions[f"s1|{order}"]
        assert (decision["amount"], decision["paid_ts"]) == (19900, PLACED + PAID[platform]), platform
        if platform != "jd":
            assert decision["credit"]["agent_id"] == "11", platform
    asked = {
        one["order_id"]
        for _, one in read_json(bootstrap, prefix + ORDERS)
        if one["type"] == "refund_requested"
    }
    assert asked >= {ORDER["jd"], ORDER["pinduoduo"], ORDER["doudian"]}
    letters = [value for _, value in read_json(bootstrap, prefix + RAW_DEAD_LETTERS)]
    assert [one for one in letters if one["reason"] not in {"no_time", "bad_amount"}] == [], json.dumps(
        letters
    )


def test_killed_and_refused_it_goes_on_and_says_why(broker, topic_prefix, tmp_path, api, accounts, started):
    bootstrap, prefix = broker.bootstrap, topic_prefix
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=["jd"])
    file = accounts("jd")
    position = tmp_path / "position.json"
    args = (f"--connections={file}", f"--position={position}", "--every=1s")
    pull = PullProcess(bootstrap, prefix, tmp_path / "pull", args)
    started.append(pull.start().until_ready())
    until(lambda: len(messages(bootstrap, prefix + raw_topic("jd"))) >= 2, pull)
    pull.kill()
    api.tokens["jd"] = "renewed"
    pull.start()
    until(lambda: b"says 19 refused" in pull.get("/ready")[1], pull)
    assert pull.get("/ready")[0] == 503
    assert pull.metric("stream_attr_pull_windows_total") >= 1
    late = {**jd_orders()["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["orderInfoList"][0]}
    api.changes["jingdong.pop.order.search"].append((int(time.time()), {**late, "orderId": "300000000099"}))
    (tmp_path / "jd.access_token").write_text("renewed")
    pull.until_ready()
    kept = lambda: [message.value() for message in messages(bootstrap, prefix + raw_topic("jd"))]  # noqa: E731
    until(lambda: any(b"300000000099" in body for body in kept()), pull)
    assert pull.metric("stream_attr_pull_behind_seconds") < 300
    assert pull.stop() == 0
    assert json.loads(position.read_text())["jd/main/orders"] > time.time() - 300
    assert "Traceback" not in pull.output()


@any_broker
def test_messages_of_wechat_customer_service_come_by_their_cursor(
    broker, topic_prefix, tmp_path, api, accounts, started
):
    bootstrap, prefix = broker.bootstrap, topic_prefix
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=["wechat_kf"])
    file = accounts("wechat_kf")
    whole = sample("wechat_kf", "sync_msg")["msg_list"]
    position = tmp_path / "position.json"
    args = (f"--connections={file}", f"--position={position}", "--once")
    for count in (3, len(whole)):
        api.messages = whole[:count]
        pull = PullProcess(bootstrap, prefix, tmp_path / "pull", args)
        started.append(pull.start())
        assert pull.wait() == 0, pull.output()
        assert "kf-token-1" not in pull.output()
    kept = [json.loads(message.value()) for message in messages(bootstrap, prefix + raw_topic("wechat_kf"))]
    assert [one for page in kept for one in page["msg_list"]] == whole
    process = AdaptProcess(bootstrap, prefix, tmp_path / "adapt", ("wechat_kf", f"--connections={file}"))
    started.append(process.start())
    process.until_adapted(len(kept))
    assert process.stop() == 0
    ids = [event["event_id"] for _, event in read_json(bootstrap, prefix + CHAT)]
    assert {"wechat_kf:mkf-2", "wechat_kf:mkf-3"} <= set(ids)
    assert len(ids) == len(set(ids))


@any_broker
def test_a_wechat_shop_and_its_customer_service_are_joined_by_the_unionid(
    broker, topic_prefix, tmp_path, api, started
):
    """Orders are pushed, encrypted; messages are asked for: each names the buyer otherwise."""
    bootstrap, prefix = broker.bootstrap, topic_prefix
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=["wechat_kf", "wechat_shop"])
    file = connections_file(tmp_path, ["wechat_shop", "wechat_kf"])
    shop, service = json.loads(file.read_text())["connections"]
    shop["api"] = {"url": api.url("wechat_shop"), "secret_files": api_secrets(tmp_path, "wechat_shop")}
    service["api"] = {
        "url": api.url("wechat_kf"),
        "secret_files": api_secrets(tmp_path, "wechat_kf"),
        "buyer": "unionid",
    }
    file.write_text(json.dumps({"connections": [shop, service]}))
    order = sample("wechat_shop", "order_get")
    api.documents["channels/ec/order/get", order["order"]["order_id"]] = order
    whole = sample("wechat_kf", "sync_msg")
    api.messages = whole["msg_list"][:3]  # before the handover
    user = "wmSampleExternal0001"
    customer = {"external_userid": user, "unionid": order["order"]["unionid"]}
    api.documents["cgi-bin/kf/customer/batchget", user] = customer

    gateway = GatewayProcess(bootstrap, prefix, tmp_path / "gateway", (f"--connections={file}",))
    started.append(gateway.start().until_ready())
    for name in ("event_order_pay", "event_order_new", "event_order_pay"):
        gateway.deliver("wechat_shop", sample("wechat_shop", name))
    once = (f"--connections={file}", f"--position={tmp_path / 'position.json'}", "--once")
    pull = PullProcess(bootstrap, prefix, tmp_path / "pull", once)
    started.append(pull.start())
    assert pull.wait() == 0, pull.output()
    for platform in ("wechat_shop", "wechat_kf"):
        process = AdaptProcess(
            bootstrap, prefix, tmp_path / f"adapt-{platform}", (platform, f"--connections={file}")
        )
        started.append(process.start())
        process.until_adapted(len(messages(bootstrap, prefix + raw_topic(platform))))
        process.until_done()
        assert process.stop() == 0
    driver = Driver(settings=[SETTINGS])
    for topic in (CHAT, ORDERS):
        for _, event in read_json(bootstrap, prefix + topic):
            assert event["buyer_id"] == order["order"]["unionid"]
            driver.send(topic, event)
    driver.finish()
    decision = driver.last("attribution-decisions")[f"s1|{order['order']['order_id']}"]
    assert (decision["status"], decision["outcome"]) == ("final", "credited")
    assert decision["credit"]["agent_id"] == "agent01"
    assert (decision["amount"], decision["paid_ts"]) == (19900, PLACED + 120_000)
