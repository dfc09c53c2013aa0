"""What the console tells those who watch it, and how it goes on without its database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from stream_attr.console.app import Settings, application
from stream_attr.console.metrics import ConsoleMetrics
from stream_attr.console.roles import Role
from stream_attr.console.sessions import IDLE_MS, Sessions
from stream_attr.console.watch import Watch
from stream_attr.kafka.embedded.server import free_port
from stream_attr.wall_clock import wall_clock_ms
from tests.console.conftest import FROM_HERE, PASSWORD, add

TOKEN = "a-token-of-those-who-watch"
HOLDS = """\
import sys, time
from pathlib import Path
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.migrate import migrate
with Database(None, Path(sys.argv[1])) as database:
    migrate(database)
    print("ready", flush=True)
    time.sleep(600)
"""
"""Runs the embedded database, as the ledger does."""


def values(metrics):
    """Every sample, by name and labels as they are written."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"
    }


def until(what, is_so, seconds=60):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} seconds: {what}"
        time.sleep(0.1)


def test_requests_are_counted_by_route_and_status_and_by_nothing_else(ledger):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
    metrics = ConsoleMetrics()
    with ledger.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False), metrics)
        browser = TestClient(app, "http://127.0.0.1", follow_redirects=False)
        for path in ("/order?order=o-secret", "/login", "/static/style.css", "/static/none", "/o-secret"):
            browser.get(path)
        browser.post("/login", data={"login": "li", "password": PASSWORD}, headers=FROM_HERE)
        browser.get("/people")
    found = values(metrics)
    requests = {name: value for name, value in found.items() if "requests_total" in name}
    assert requests == {
        f'stream_attr_console_requests_total{{route="{route}",status="{status}"}}': 1.0
        for route, status in [
            ("/order", 303),
            ("/login", 200),
            ("/login", 303),
            ("/static", 200),
            ("/static", 404),
            ("other", 404),
            ("/people", 200),
        ]
    }
    assert found['stream_attr_console_request_seconds_count{route="/login"}'] == 2
    assert "o-secret" not in str(found)


def test_a_page_that_fails_is_counted_too(ledger, monkeypatch):
    metrics = ConsoleMetrics()
    monkeypatch.setattr("stream_attr.console.app._ready", lambda _: 1 / 0)
    with ledger.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False), metrics)
        TestClient(app, "http://127.0.0.1", raise_server_exceptions=False).get("/ready")
    assert values(metrics)['stream_attr_console_requests_total{route="/ready",status="500"}'] == 1


def test_log_ins_are_counted_by_what_came_of_them(ledger):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
    metrics = ConsoleMetrics()
    with ledger.pool(autocommit=True) as pool:
        browser = TestClient(application(pool, Settings(secure=False), metrics), "http://127.0.0.1")
        for password in (PASSWORD, *["wrong password"] * 7):
            browser.post("/login", data={"login": "li", "password": password}, headers=FROM_HERE)
    counted = {
        re.findall('result="(.*?)"', name)[0]: value
        for name, value in values(metrics).items()
        if name.startswith("stream_attr_console_log_ins_total{") and 'way="password"' in name
    }
    assert counted == {"in": 1, "refused": 5, "waits": 2}


def test_sessions_pool_and_as_of_are_told(ledger):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
        for name, ruling in (("a-1", "{}"), ("a-2", None)):
            connection.execute(
                "INSERT INTO appeal (shop_id, appeal_id, order_id, agent_id, reason, comment,"
                " expected_agent_id, revision, opened_by, opened_ts)"
                " VALUES ('jd:1', %s, 'o-1', %s, 'other', 'x', %s, 1, 'x', 1)",
                (name, name, name),
            )
            if ruling is not None:
                connection.execute(
                    "UPDATE appeal SET answer = 'granted', answer_comment = '', answered_by = 'li',"
                    " ruling = %s WHERE appeal_id = %s",
                    (ruling, name),
                )
        for _ in range(3):
            Sessions(connection).start("li")
        connection.execute(
            "UPDATE session SET used_ts = %s WHERE token_hash = (SELECT min(token_hash) FROM session)",
            (wall_clock_ms() - IDLE_MS - 1,),
        )
        connection.execute(
            "INSERT INTO sink_offset (topic, source_partition, next, watermark) VALUES"
            " ('attribution-decisions', 0, 5, 1793491200000), ('attribution-decisions', 1, 5, 1793491260000)"
        )
    metrics = ConsoleMetrics()
    with ledger.pool(autocommit=True) as pool, Watch(ledger, pool, metrics) as watch:
        metrics.watch(pool)
        until("the sessions are seen", lambda: values(metrics)["stream_attr_console_sessions"] == 2)
        found = values(metrics)
        assert found['stream_attr_console_as_of_seconds{topic="attribution-decisions"}'] == 1_793_491_200
        assert found["stream_attr_console_unpublished_rulings"] == 1
        assert found["stream_attr_console_database_away"] == 0
        assert watch.why_not() is None
        with pool.connection():
            assert values(metrics)['stream_attr_console_pool_connections{state="busy"}'] >= 1
        assert found["stream_attr_console_pool_waiting"] == 0


@contextmanager
def running(*words, log):
    """``stream-attr console`` on ports of its own: its process, its address, that of those who watch."""
    port, web = free_port(), free_port()
    ports = ["--port", str(port), "--web-port", str(web)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream_attr", "console", *words, *ports],
            stdout=file,
            stderr=file,
            env={**os.environ, "STREAM_ATTR_WEB_TOKEN": TOKEN},
        )
    try:
        yield process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{web}"
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def ask(address, token=TOKEN):
    """Status and text; 0 where nobody answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_the_command_answers_those_who_watch_on_a_port_of_its_own_with_a_token(ledger, tmp_path):
    with running("--database", ledger.address, log=tmp_path / "log") as (_, pages, web):
        until("it is ready", lambda: ask(f"{web}/ready")[0] == 200)
        until("pages are served", lambda: ask(f"{pages}/login")[0] == 200)
        assert ask(f"{web}/metrics", token=None)[0] == 401
        assert ask(f"{pages}/metrics")[0] == 404
        assert ask(f"{web}/login")[0] == 404
        status, text = ask(f"{web}/metrics")
        assert status == 200
        assert 'stream_attr_console_requests_total{route="/login",status="200"}' in text


@pytest.mark.database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["ends", "killed"])
def test_an_embedded_database_is_started_again_when_the_program_that_ran_it_ends(tmp_path, number):
    folder = tmp_path / "data" / "ledger"
    owner = subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == "ready\n"
        log = tmp_path / "log"
        with running("--data-dir", str(tmp_path / "data"), log=log) as (_, pages, web):
            until("it is ready", lambda: ask(f"{pages}/ready")[0] == 200)
            owner.send_signal(number)
            owner.wait(30)
            until("it says so", lambda: "does not answer" in log.read_text())
            until("it answers again", lambda: "answers again" in log.read_text())
            until("pages are there again", lambda: ask(f"{pages}/ready")[0] == 200)
            until("and so it says", lambda: json.loads(ask(f"{web}/ready")[1]) == {"status": "ready"})
            assert "stream_attr_console_database_away 0.0" in ask(f"{web}/metrics")[1]
            with subprocess.Popen(
                [sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True
            ) as another:
                assert another.stdout is not None
                assert another.stdout.readline() == "ready\n", "others use it meanwhile"
                another.kill()
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()


def test_a_database_that_is_away_is_said_on_the_page_and_to_those_who_watch(ledger):
    lost = f"host=127.0.0.1 port={free_port()} dbname=x user=x"
    metrics = ConsoleMetrics()
    with ledger.pool(autocommit=True, wait_s=1.0) as pool:
        pool.conninfo = lost
        browser = TestClient(application(pool, Settings(secure=False), metrics), "http://127.0.0.1")
        with ledger.connection(autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with Watch(ledger, pool, metrics) as watch:
            until("it is noticed", lambda: watch.why_not() is not None)
            assert values(metrics)["stream_attr_console_database_away"] == 1
            answer = browser.get("/people", headers={"cookie": "session=x"})
    assert answer.status_code == 503
    assert "database cannot be reached. Try again" in answer.text
