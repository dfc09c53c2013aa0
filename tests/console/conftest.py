"""The console over a real ledger, and people who are logged in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn
from argon2 import PasswordHasher
from psycopg import Connection
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from stream_attr.console import accounts
from stream_attr.console.accounts import Accounts, Duty, hashed
from stream_attr.console.app import Settings, application
from stream_attr.console.roles import Role
from stream_attr.ledger.appeals.opening import Asked, open_appeal
from stream_attr.ledger.appeals.words import Reason
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.embedded import EmbeddedPostgres
from tests.console.pay_world import paid_traffic
from tests.kafka.conftest import embedded, topic_prefix
from tests.ledger.conftest import ledger, ledger_template, postgres
from tests.ledger.reports.conftest import Traffic, generated, judged

__all__ = ["embedded", "generated", "ledger", "ledger_template", "postgres", "topic_prefix"]

PASSWORD = "correct horse"
FROM_HERE = {"sec-fetch-site": "same-origin"}


HASHER = accounts._HASHER
"""The product's."""

APPEALS: dict[str, str] = {}
"""By shop an open appeal; in the first shop it is of the account ``agent``."""


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords by the least that argon2 takes: a thousand tests log in, and few are about that."""
    least = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", least)
        patch.setattr(accounts, "_NOBODY", least.hash(PASSWORD))
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as the product does."""
    monkeypatch.setattr(accounts, "_HASHER", HASHER)
    monkeypatch.setattr(accounts, "_NOBODY", HASHER.hash(PASSWORD))


class People(NamedTuple):
    """A ledger of two shops with results, and its console."""

    database: Database
    client: Callable[[], TestClient]
    traffic: Traffic
    shops: list[str]
    persons: dict[str, str]
    """By shop somebody who is paid; of the first one the agent."""

    def logged_in(self, login: str) -> TestClient:
        """A browser of its own of somebody."""
        client = self.client()
        form = {"login": login, "password": PASSWORD, "next": "/"}
        answer = client.post("/login", data=form, headers=FROM_HERE)
        assert answer.status_code == 303, answer.text
        return client


def pay_of(people: People, path: str, shop: str) -> str:
    """What a screen of pay asks for in its address: the shop's closed run, or somebody of it."""
    scheme = f"scheme-{people.shops.index(shop)}"
    return {
        "/pay/run": f"&scheme={scheme}&month=2026-11",
        "/pay/statement": f"&person={people.persons[shop]}&month=2026-11",
        "/pay/scheme": f"&scheme={scheme}",
    }.get(path, "")


def add(connection: Connection, login: str, role: Role, *duties: Duty) -> None:
    """An account with the password of all."""
    known = Accounts(connection)
    known.add(login, login.title(), role, duties)
    assert known.set_password(known.link(login), hashed(PASSWORD)) == login


def served(database: Database) -> Iterator[Callable[[], TestClient]]:
    """The console of a ledger."""
    with database.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False))
        yield lambda: TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture(scope="session")
def traffic(
    postgres: EmbeddedPostgres,
    ledger_template: str,
    generated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Traffic]:
    """A ledger of the console's own, of which all is final."""
    found = judged(postgres, ledger_template, generated, tmp_path_factory.mktemp("console", numbered=False))
    with found.database:
        yield found


@pytest.fixture(scope="session")
def people(traffic: Traffic) -> Iterator[People]:
    """One account of each role; the manager, the reviewer and payroll of the first shop alone."""
    shops = sorted({one["shop_id"] for one in traffic.decisions})
    assert len(shops) == 2
    days = [one for one in traffic.agent_days if one["shop_id"] == shops[0]]
    agents = sorted({one["agent_id"] for one in days if one["sales"]["orders"] and one["agent_id"] != "*"})
    with traffic.database.connection(autocommit=True) as connection:
        add(connection, "admin", Role.ADMIN)
        add(connection, "auditor", Role.AUDITOR)
        for role in (Role.MANAGER, Role.REVIEWER, Role.PAYROLL):
            add(connection, str(role), role, Duty(shops[0]))
        add(connection, "agent", Role.AGENT, Duty(shops[0], agents[0]))
        for shop in shops:
            held, order_id = next(
                (one["credit"]["agent_id"], one["order_id"])
                for one in traffic.decisions
                if one["shop_id"] == shop and one["credit"] and one["credit"]["agent_id"] != agents[0]
            )
            own = agents[0] if shop == shops[0] else held
            asked = Asked(shop, order_id, Reason.OTHER, "说明 & <b>", own if own != held else None)
            APPEALS[shop] = open_appeal(connection, asked, [own], "agent").appeal_id
        persons = paid_traffic(connection, shops, agents[0])
    for client in served(traffic.database):
        yield People(traffic.database, client, traffic, shops, persons)


@pytest.fixture
def console(ledger: Database) -> Iterator[Callable[[], TestClient]]:
    """The console of an empty ledger of the test's own."""
    yield from served(ledger)


@contextmanager
def on_port(app: ASGIApp, port: int) -> Iterator[str]:
    """Serve a console on the loopback interface; its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, "127.0.0.1", port, log_level="warning", access_log=False, proxy_headers=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
