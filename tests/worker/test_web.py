"""What stands before the pages of the web port: a token, but for probes."""

from __future__ import annotations

import asyncio
import hmac
import json
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web as aiohttp_web
from aiohttp.test_utils import TestClient, TestServer

from stream_attr.kafka.secret import Secret
from stream_attr.worker.config import StoreKind, WorkerConfig
from stream_attr.worker.ops import web
from stream_attr.worker.ops.logs import RateLimited
from stream_attr.worker.startup.host_check import Claim, HostCheckError
from stream_attr.worker.task.assignment import Assignment, OrderLookup

TOKEN = "0123456789abcdef"
PAGES = ("/health", "/ready", "/metrics", "/orders/jd:1/o1")


async def here(_request):
    return aiohttp_web.Response(text="here")


@pytest.fixture
async def ask():
    """Ask a guarded server for a page; ``guard`` before all of Faust's pages, as ``build_app`` has it."""
    clients = []

    async def ask(path, authorization=None, *, token=TOKEN, method="GET"):
        app = aiohttp_web.Application(middlewares=[web.guard(token and Secret(token))])
        for page in PAGES:
            app.router.add_get(page, here)
        clients.append(client := TestClient(TestServer(app)))
        await client.start_server()
        headers = {} if authorization is None else {"Authorization": authorization}
        return await client.request(method, path, headers=headers)

    yield ask
    for client in clients:
        await client.close()


async def test_probes_ask_without_a_token_and_nobody_else(ask):
    statuses = {page: (await ask(page)).status for page in (*PAGES, "/", "/no-such-page", "/health/x")}
    assert statuses == {**dict.fromkeys(statuses, 401), "/health": 200, "/ready": 200}


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer   {TOKEN} "])
async def test_who_bears_the_token_is_answered(ask, authorization):
    for page in PAGES:
        assert (await ask(page, authorization)).status == 200
    assert (await ask("/no-such-page", authorization)).status == 404


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
     f"Bearer x{TOKEN}", f"Bearer {TOKEN.upper()}", "Bearer 业", f"Bearer {TOKEN} {TOKEN}"],
)  # fmt: skip
async def test_a_request_with_another_token_or_none_gets_the_remedy(ask, authorization):
    answer = await ask("/metrics", authorization)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="stream-attr"'
    assert await answer.json() == {"error": "a bearer token is needed: Authorization: Bearer TOKEN"}


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
async def test_every_way_of_asking_is_guarded(ask, method):
    assert (await ask("/metrics", method=method)).status == 401


async def test_a_token_in_the_address_is_none(ask):
    assert (await ask(f"/metrics?token={TOKEN}&access_token={TOKEN}")).status == 401


async def test_without_a_token_everybody_who_reaches_it_is_answered(ask):
    for page in PAGES:
        assert (await ask(page, token=None)).status == 200


async def test_the_comparison_takes_the_same_time_for_every_token(ask, monkeypatch):
    compared = []

    def compare_digest(*both):
        compared.append(both)
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    assert (await ask("/metrics", "Bearer x")).status == 401
    assert compared == [(b"x", TOKEN.encode())]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_port_that_others_reach_needs_a_token(host):
    config = WorkerConfig(web_host=host, web_port=0, store=StoreKind.MEMORY)
    with (
        pytest.raises(HostCheckError, match="lets other machines reach the web port: it needs a token"),
        Claim(config),
    ):
        pass


@pytest.mark.parametrize(
    ("host", "token"), [("127.0.0.1", None), ("127.0.0.2", None), ("localhost", None), ("0.0.0.0", TOKEN)]
)
def test_this_machine_may_ask_without_one_and_all_with_one(host, token):
    with Claim(
        WorkerConfig(web_host=host, web_port=0, web_token=token and Secret(token), store=StoreKind.MEMORY)
    ):
        pass


def test_the_port_is_local_by_default():
    assert WorkerConfig().web_host == "127.0.0.1"


@pytest.mark.parametrize(
    "peer",
    ["http://127.0.0.1:{port}", "http://me:geheim@127.0.0.1:{port}", "http://geheim:geheim", "geheim", ""],
)
async def test_of_a_worker_that_answers_nonsense_only_the_address_is_logged(caplog, peer):
    """aiohttp's error quotes the answer, and the question with its token."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 geheim\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    peer = peer.format(port=server.sockets[0].getsockname()[1])
    async with server, aiohttp.ClientSession() as client:
        log = RateLimited(web.logger)
        app = SimpleNamespace(config=WorkerConfig(web_token=Secret(TOKEN)), http_client=client, web_log=log)
        app.assignor = SimpleNamespace(external_topics_metadata=lambda: {peer: {}})
        assert await web._request_from_peers(app, "/orders/jd%3A1/o1") == OrderLookup(None)
    [line] = caplog.messages
    assert "worker" in line
    assert "does not answer" in line
    assert "geheim" not in line
    assert TOKEN not in line


class HeldPartition:
    """A stream task as far as a lookup sees it."""

    def __init__(self, number, found=None, *, lost_at=None, busy=False):
        self.number, self.found, self.lost_at, self.busy = number, found, lost_at, busy

    async def find_order(self, _shop_id, _order_id):
        if self.busy:
            await asyncio.sleep(0.01)
            raise TimeoutError
        return self.found


def held(*tasks, judging=True, total=4):
    context: Any = SimpleNamespace(partitions=total)
    partitions = Assignment(context, print)
    partitions._tasks = {task.number: task for task in tasks}
    partitions._judging = judging
    return partitions


def answer_of(body, content_type, status=200, headers=None):
    assert content_type == "application/json"
    return status, json.loads(body), dict(headers or {})


@pytest.fixture
async def ask_for_order():
    """Ask a worker that holds some partitions for an order; ``peers``: what others answer, by URL."""

    async def ask_for_order(partitions, peers=None, *, local=False):
        async with aiohttp.ClientSession() as client:
            app = SimpleNamespace(
                partitions=partitions,
                config=WorkerConfig(),
                http_client=client,
                web_log=RateLimited(web.logger),
                broker_health=SimpleNamespace(lost=None),
                assignor=SimpleNamespace(external_topics_metadata=lambda: dict.fromkeys(peers or [])),
            )
            view = SimpleNamespace(app=app, bytes=answer_of)
            request = SimpleNamespace(query={"local": "1"} if local else {})
            return await web.order(view, request, "jd:1", "o1")

    return ask_for_order


@pytest.fixture
async def peer():
    """Starts a worker that answers every lookup alike; returns its URL."""
    servers = []

    async def start(status, body):
        async def answer(request):
            assert request.query["local"] == "1"
            return aiohttp_web.json_response(body, status=status)

        app = aiohttp_web.Application()
        app.router.add_get("/orders/{shop}/{order}", answer)
        servers.append(server := TestServer(app))
        await server.start_server()
        return str(server.make_url(""))

    yield start
    for server in servers:
        await server.close()


async def test_404_once_every_partition_has_answered(ask_for_order, peer):
    others = await peer(404, {"error": "no decision", "partitions": [2, 3]})
    status, answer, headers = await ask_for_order(held(HeldPartition(0), HeldPartition(1)), [others])
    assert (status, headers) == (404, {})
    assert answer == {"error": "no decision on order o1 of shop jd:1"}


@pytest.mark.parametrize(
    ("partitions", "missing"),
    [
        (held(HeldPartition(0), HeldPartition(1), HeldPartition(2)), [3]),
        (held(*map(HeldPartition, range(4)), judging=False), [0, 1, 2, 3]),
        (held(*map(HeldPartition, range(3)), HeldPartition(3, lost_at=1.0)), [3]),
        (held(HeldPartition(0, busy=True), *map(HeldPartition, range(1, 4))), [0]),
    ],
    ids=["held by nobody", "being restored", "taken over by another worker", "busy"],
)
async def test_503_while_a_partition_cannot_tell(ask_for_order, partitions, missing):
    status, answer, headers = await ask_for_order(partitions)
    assert (status, answer["partitions"], headers) == (503, missing, {"Retry-After": "2"})
    assert f"{', '.join(map(str, missing))} do" in answer["error"]
    assert answer["error"].endswith("retry")


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, {}), (503, {"error": "busy"}), (404, {"error": "of an older program"}), (404, [])],
)
async def test_a_worker_that_cannot_tell_leaves_its_partitions_unknown(ask_for_order, peer, status, body):
    others = await peer(status, body)
    status, answer, _ = await ask_for_order(held(HeldPartition(0), HeldPartition(1)), [others])
    assert (status, answer["partitions"]) == (503, [2, 3])


async def test_a_decision_is_returned_whatever_other_partitions_do(ask_for_order, peer):
    found = HeldPartition(1, b'{"revision": 1}')
    partitions = held(HeldPartition(0, busy=True), found, judging=False)
    assert (await ask_for_order(partitions))[:2] == (200, {"revision": 1})
    others = await peer(200, {"revision": 2})
    assert (await ask_for_order(held(HeldPartition(0, busy=True)), [others]))[:2] == (200, {"revision": 2})
    await asyncio.gather(*partitions._lookups)


async def test_another_worker_is_answered_with_the_partitions_that_do_not_hold_it(ask_for_order):
    partitions = held(HeldPartition(2), HeldPartition(0), HeldPartition(3, busy=True))
    status, answer, _ = await ask_for_order(partitions, local=True)
    assert (status, answer["partitions"]) == (404, [0, 2])
