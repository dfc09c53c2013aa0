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
from tests.gateway.signed_api import api_secrets, signed_api
from tests.gateway.test_platform_client import APIS
from tests.kafka.conftest import any_broker
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


BUYERS = (ORDER["pinduoduo"], "AAHsampleOpenUid0001", "#sampleDoudianOpenId0001")
"""By what the platform knows the buyer, or the order where it names none; the helpdesk knows them as 31."""


@pytest.fixture
def buyers():
    with platform_api({("buyer", one): {"buyer_id": "31"} for one in BUYERS}) as running:
        yield running


@pytest.fixture
def api():
    """The platforms' own: signed calls, of which the first two are too many."""
    with signed_api() as running:
        for platform in ("taobao", "pinduoduo", "doudian"):
            calls = APIS[platform].details
            for (name, key), document in documents(platform).items():
                running.documents[calls[name](key).method, key] = document
        running.failing = 2
        yield running


@pytest.fixture
def started() -> Iterator[list[Any]]:
    processes: list[Any] = []
    yield processes
    for process in processes:
        if process.runs():
            process.kill()


@any_broker
@pytest.mark.parametrize("platform", ORDER)
def test_what_a_platform_sends_ends_as_one_decision(
    platform, broker, topic_prefix, tmp_path, api, buyers, started
):
    prefix, bootstrap = topic_prefix, broker.bootstrap
    platforms = [platform] if platform == "jd" else [platform, "chatwoot"]
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=platforms)
    (tmp_path / "key").write_text(KEY)

    def accounts(one):
        if one in {"jd", "chatwoot"}:
            return connections_file(tmp_path / one, [one])
        bridge = {"url": f"{buyers.url}/buyer/{{id}}", "header_files": {"X-Key": str(tmp_path / "key")}}
        signing = {"url": api.url(one), "secret_files": api_secrets(tmp_path, one)}
        return connections_file(tmp_path / one, [one], bridge=bridge, api=signing)

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

    wrong_signs = {25, "12", 20004, 30001}
    assert not wrong_signs & set(api.refused)
    assert api.failing == (2 if platform == "jd" else 0), "what was one call too many was tried again"
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
