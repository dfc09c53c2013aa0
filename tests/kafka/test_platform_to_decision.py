"""From what a big platform sends to the decision: signed, repeated, in any order, through both commands."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.testing import Driver
from tests.adapters.platforms import changed, documents, sample
from tests.adapters.test_decisions import SETTINGS
from tests.gateway.platform_api import KEY, platform_api
from tests.kafka.gateway_process import AdaptProcess, GatewayProcess, connections_file
from tests.kafka.worker_process import read_json

PLACED = 1772417400000
ORDER = {
    "jd": "300000000001",
    "taobao": "2600000000000000001",
    "pinduoduo": "260302-000000000000001",
    "doudian": "6900000000000000001",
}
PAID = {"jd": 120_000, "taobao": 120_000, "pinduoduo": 125_000, "doudian": 120_000}
"""After it was placed, by the sample payloads; at Pinduoduo when the group was complete and confirmed."""


def jd_orders() -> dict[str, Any]:
    """A page of orders as JD gives it, with the id by which its chats know the buyer."""
    page = sample("jd", "pop_order_search")
    for order in page["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["orderInfoList"]:
        order["xid_buyer"] = "JDxidSample0001"
    return page


PAYLOADS = {
    "jd": [jd_orders(), sample("jd", "dongdong_chat_logs")],
    "taobao": [sample("taobao", "tmc_TradeCreate"), sample("taobao", "tmc_TradeBuyerPay")],
    "pinduoduo": [
        sample("pinduoduo", "pmc_TradeConfirmed"),
        sample("pinduoduo", "order_information_grouped"),
    ],
    "doudian": [sample("doudian", "webhook_batch")],
}
HELPDESK = ["message_created_incoming", "message_created_outgoing"]
"""For those whose chats have no API: agent 11 answers the buyer twenty seconds later."""


@pytest.fixture
def api():
    known = {("buyer", ORDER["pinduoduo"]): {"buyer_id": "31"}}
    for platform in ("taobao", "pinduoduo", "doudian"):
        known.update({(f"{platform}.{name}", key): one for (name, key), one in documents(platform).items()})
    known["buyer", "AAHsampleOpenUid0001"] = known["buyer", "#sampleDoudianOpenId0001"] = {"buyer_id": "31"}
    with platform_api(known) as running:
        yield running


@pytest.fixture
def started() -> Iterator[list[Any]]:
    processes: list[Any] = []
    yield processes
    for process in processes:
        if process.runs():
            process.kill()


@pytest.mark.parametrize("platform", ORDER)
def test_what_a_platform_sends_ends_as_one_decision(platform, broker, topic_prefix, tmp_path, api, started):
    prefix, bootstrap = topic_prefix, broker.bootstrap
    platforms = [platform] if platform == "jd" else [platform, "chatwoot"]
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=platforms)
    (tmp_path / "key").write_text(KEY)

    def lookup(resource):
        return {"url": f"{api.url}/{resource}/{{id}}", "header_files": {"X-Key": str(tmp_path / "key")}}

    def accounts(one):
        names = {name for name, _ in documents(one)} if one not in {"jd", "chatwoot"} else set()
        asked = {"enrich": {name: lookup(f"{one}.{name}") for name in names}} if names else {}
        bridged = {"bridge": lookup("buyer")} if names else {}
        return connections_file(tmp_path / one, [one], **asked, **bridged)

    everything = connections_file(tmp_path / "gateway-accounts", platforms)
    gateway = GatewayProcess(bootstrap, prefix, tmp_path / "gateway", (f"--connections={everything}",))
    started.append(gateway.start().until_ready())
    deliveries = [(platform, payload) for payload in PAYLOADS[platform]]
    if platform != "jd":
        deliveries += [
            ("chatwoot", changed(sample("chatwoot", name), conversation__meta__sender__identifier="31"))
            for name in HELPDESK
        ]
    deliveries *= 2
    random.Random(platform).shuffle(deliveries)
    for one, payload in deliveries:
        gateway.deliver(one, payload)
    assert gateway.metric("stream_attr_gateway_requests_total") == len(deliveries)
    for one in platforms:
        args = (one, f"--connections={accounts(one)}")
        process = AdaptProcess(bootstrap, prefix, tmp_path / f"adapt-{one}", args).start()
        started.append(process)
        process.until_adapted(sum(name == one for name, _ in deliveries))
        assert process.stop() == 0

    driver = Driver(settings=[SETTINGS])
    for topic in (CHAT, ORDERS):
        for _, event in read_json(bootstrap, prefix + topic):
            driver.send(topic, event)
    driver.finish()
    assert [one for one in driver.emitted if one.topic == "dead-letters"] == []
    decision = driver.last("attribution-decisions")[f"s1|{ORDER[platform]}"]
    assert (decision["status"], decision["outcome"]) == ("final", "credited")
    assert decision["credit"]["agent_id"] == ("示例-客服01" if platform == "jd" else "11")
    assert (decision["amount"], decision["paid_ts"]) == (19900, PLACED + PAID[platform])
    letters = [value for _, value in read_json(bootstrap, prefix + RAW_DEAD_LETTERS)]
    assert [one for one in letters if one["reason"] != "no_time"] == [], json.dumps(letters)
