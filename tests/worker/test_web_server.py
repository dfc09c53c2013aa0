"""What strangers send to the web port reaches no log, and takes neither connections nor time without end."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web as aiohttp_web

from stream_attr.worker.engine.web_server import LimitedRunner, Limits
from stream_attr.worker.ops.logs import WithoutValues

TOKEN = "token-93b1f0c2a4d8e6"
GENEROUS = Limits(connections=100, request_s=60.0)
PATIENCE_S = 30.0
ASKED = aiohttp_web.AppKey("asked", asyncio.Event)


class Log(logging.Handler):
    """All that is logged, as the worker's log shows it."""

    def __init__(self):
        super().__init__()
        self.setFormatter(WithoutValues("%(levelname)s %(name)s: %(message)s"))
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def log():
    handler = Log()
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


async def short(_request):
    return aiohttp_web.Response(text="here")


async def large(request):
    request.app[ASKED].set()
    return aiohttp_web.Response(body=b"x" * 50_000_000)


async def broken(request):
    raise KeyError(request.query_string)


class Serving:
    """Serves within limits; called with them it returns the port."""

    def __init__(self):
        self.runners: list[LimitedRunner] = []
        self.asked = asyncio.Event()

    async def __call__(self, limits):
        app = aiohttp_web.Application()
        app[ASKED] = self.asked
        for handler in (short, large, broken):
            app.router.add_get(f"/{handler.__name__}", handler)
        self.runners.append(runner := LimitedRunner(app, limits=limits))
        await runner.setup()
        await aiohttp_web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1]


@pytest.fixture
async def serve():
    serving = Serving()
    yield serving
    for runner in serving.runners:
        await runner.cleanup()


async def send(port, what):
    """Send bytes; returns all that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(what)
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def request(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


BEARER = f"Authorization: Bearer {TOKEN}".encode()
MALFORMED = [
    b"GET /short HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\r\n\r\n",  # as of a token file with CRLF
    BEARER + b"\r\n\r\n",
    b"GET /short " + TOKEN.encode() + b"\r\n" + BEARER + b"\r\n\r\n",
    b"GET /short HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\x00\r\n\r\n",
    b"GET /short HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\nbroken header\r\n\r\n",
    b"GET /short HTTP/1.1\r\nHost: x\r\n" + BEARER + b"\r\nContent-Length: -" + TOKEN.encode() + b"\r\n\r\n",
    b"GET /" + TOKEN.encode() + b"\xff HTTP/1.1\r\n\r\n",
    b"GET http://[" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /short HTTP/1.1\r\nX: " + TOKEN.encode() * 2_000 + b"\r\n\r\n",
    b"GET /short HTTP/9." + TOKEN.encode() + b"\r\n\r\n",
    b"\x16\x03\x01" + TOKEN.encode(),
    b"POST /short HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + TOKEN.encode() + b"\r\n\r\n",
]


@pytest.mark.parametrize("what", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_request_is_refused_and_nothing_of_it_is_logged(serve, log, what):
    port = await serve(GENEROUS)
    answer = await send(port, what)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer
    assert TOKEN not in "\n".join(log)
    assert "Traceback" not in "\n".join(log)
    assert len(log) <= 1


async def test_malformed_requests_are_one_line_in_the_log_however_many_there_are(serve, log):
    port = await serve(GENEROUS)
    for _ in range(50):
        await send(port, MALFORMED[0])
    [told] = log
    assert "web_server: refused a malformed web request from 127.0.0.1: Bad" in told


async def test_a_page_that_fails_is_logged_once_by_its_lines_of_code_alone(serve, log):
    port = await serve(GENEROUS)
    for _ in range(3):
        answer = await send(port, request(f"/broken?{TOKEN}", f"Authorization: Bearer {TOKEN}"))
        assert answer.endswith(b'{"error":"the request failed; the worker\'s log says where"}')
    [told] = log
    assert told.startswith("ERROR stream_attr.worker.engine.web_server: a web request failed\nTraceback")
    assert "in broken\n    raise KeyError(request.query_string)\nKeyError" in told
    assert TOKEN not in told


async def test_a_client_that_never_ends_its_request_is_closed(serve):
    port = await serve(Limits(connections=100, request_s=0.2))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip():
        for letter in "GET /short HTTP/1.1\r\nX: " + "x" * 7_000:
            writer.write(letter.encode())
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    try:
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    except ConnectionResetError:
        pass
    finally:
        dripping.cancel()
        writer.close()


async def test_a_client_that_does_not_read_its_answer_is_closed(serve):
    port = await serve(Limits(connections=100, request_s=0.2))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.write(request("/large"))
    async with asyncio.timeout(PATIENCE_S):
        await serve.asked.wait()
        while serve.runners[0].server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    writer.close()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await reader.readexactly(50_000_000)


async def test_each_response_restarts_the_time_limit_of_a_kept_connection(serve):
    port = await serve(GENEROUS)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    cut_off_at = []
    for _ in range(3):
        writer.write(request("/short"))
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"here"), PATIENCE_S)
        await asyncio.sleep(0.01)
        [connection] = serve.runners[0].server.by_last_response
        cut_off_at.append(connection._timeout.when())
    writer.close()
    assert cut_off_at == sorted(set(cut_off_at))


async def test_idle_connections_beyond_the_limit_give_way_to_new_ones(serve, log):
    port = await serve(Limits(connections=20, request_s=60.0))
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    for _, writer in held:
        writer.write(b"GET /short HTTP/1.1\r\nX: ")
    assert (await send(port, request("/short", "Connection: close"))).endswith(b"here")

    async def closed(reader):
        try:
            return await asyncio.wait_for(reader.read(), 0.2) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    open_still = [not await closed(reader) for reader, _ in held]
    assert sum(open_still) <= 20
    assert open_still[-1], "the oldest went first"
    assert [line for line in log if "more than 20 web connections" in line] == log
    assert len(log) == 1
    for _, writer in held:
        writer.close()
