"""The console with a hundred users at once, on a ledger of a million orders: how long a page takes."""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx2
import psycopg

from ledger import columns_of, opened
from running import cpu_s, timed, tree_cpu_s
from stream_attr.console.accounts import Accounts, Duty, hashed
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded import server
from stream_attr.ledger.database.schema import SCHEMA
from stream_attr.rules.shop.days import DAY_MS
from table import Row
from traffic import END_TS, file_words, generated

__all__ = ["run"]

SHOPS: Final = 10
EVENTS: Final = 2_500_000
"""Of one shop: some 100,000 orders."""
DAYS: Final = 60
USERS: Final = 100
PER_SHOP: Final = USERS // SHOPS
THINK_S: Final = 5.0
"""How long a user looks at a page, on average; on `today` it asks for what is new meanwhile."""
POLL_S: Final = 2.0
LOG_INS: Final = 60
"""How often somebody tries to log in whom the console asks to wait, as too many do at once."""
WARM_S: Final = 30.0
ROUNDS: Final = 3
ROUND_S: Final = 60.0
"""Each round is a measurement of its own; users go on from one to the next."""
PROMISED_MS: Final = 500.0
PASSWORD: Final = "correct horse battery"
ORDER: Final = "/order?order="
MANAGER: Final = (
    *("/today", "/today", "/today", "/team", "/team?by=day", "/sales", "/pending", "/losses", "/pressure"),
    *(
        "/orders",
        "/orders?page=3",
        "/orders?behind=sales",
        "/review",
        "/signals",
        "/quality",
        "/goals",
        "/agent",
    ),
    *(ORDER, ORDER),
)
AGENT: Final = (
    *("/agent", "/agent", "/orders", "/orders?behind=sales", "/pending", "/losses"),
    *(ORDER, ORDER),
)
_COPIED: Final = (
    ("decision_revision",),
    (
        *("decision", "reception", "inquiry", "refund", "agent_day", "service_task"),
        *("shop_settings", "roster", "ruling", "day_roll_up"),
    ),
)
"""What is copied beside each other."""


class Asked(NamedTuple):
    """A page that somebody has looked at."""

    path: str
    at_s: float
    """Since all were there."""
    ms: float
    """Until it was there."""


class User(NamedTuple):
    """Somebody who is logged in somewhere."""

    login: str
    shop_id: str
    agent_id: str | None
    """None: a manager."""


def run(_plots: Path) -> list[Row]:
    """Measure pages of managers and agents of all shops, over HTTP, beside each other on one machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders = _fill(folder)
        with opened(folder / "data" / "ledger") as connection:
            _copy(connection)
            users, of_shop = _users(connection), _order_ids(connection)
            with _console(connection.info.dsn, folder) as (pid, address):
                database = _pid_of(connection)
                before = cpu_s(pid), tree_cpu_s(database)
                asked = asyncio.run(_load(address, users, of_shop))
                spent = cpu_s(pid) - before[0], tree_cpu_s(database) - before[1]
    return [_row(asked, orders * SHOPS, spent)]


def _row(asked: list[Asked], orders: int, spent: tuple[float, float]) -> Row:
    """Return how long pages took. ``spent``: seconds of CPU time of the console and of the database."""
    rounds = [
        _percentile([one.ms for one in asked if 0 <= one.at_s - WARM_S - ROUND_S * number < ROUND_S])
        for number in range(ROUNDS)
    ]
    times: dict[str, list[float]] = defaultdict(list)
    for one in asked:
        if one.at_s >= WARM_S:
            times[one.path].append(one.ms)
    every = [ms for of_page in times.values() for ms in of_page]
    slowest = max(times, key=lambda page: _percentile(times[page]))
    return Row(
        f"a page of the console, {USERS} users at once, {orders / 1e6:.1f} million orders, 95 %",
        f"{_percentile(every):.0f} ms",
        f"at most {PROMISED_MS:.0f} ms",
        f"{min(rounds):.0f} to {max(rounds):.0f} ms in {ROUNDS} rounds of {ROUND_S:.0f} s",
        f"wall clock, {len(every):,} pages; half within {statistics.median(every):.0f} ms; slowest "
        f"{slowest}: {_percentile(times[slowest]):.0f} ms; CPU in {asked[-1].at_s:.0f} s: "
        f"console {spent[0]:.0f} s, database {spent[1]:.0f} s",
        met=_percentile(every) <= PROMISED_MS,
    )


def _percentile(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def _fill(folder: Path) -> int:
    """Judge one shop's months into a ledger, which ends while some of it is pending; return its orders."""
    inputs = generated(folder / "generated", EVENTS, DAYS)
    timed(
        *("replay", *file_words(inputs), "--out", str(folder / "out"), "--ledger"),
        *("--data-dir", str(folder / "data"), "--until", str(END_TS)),
    )
    with opened(folder / "data" / "ledger") as connection:
        query = "SELECT count(*) FROM decision WHERE profile = 'official'"
        ((orders,),) = connection.execute(query).fetchall()
    return int(orders)


def _copy(connection: psycopg.Connection[Any]) -> None:
    """Give all other shops the records of the first."""
    ((first,),) = connection.execute("SELECT shop_id FROM shop_settings LIMIT 1").fetchall()
    queries = []
    for tables in _COPIED:
        named = {
            table: ", ".join(one for one in columns_of(connection, table) if one != "shop_id")
            for table in tables
        }
        queries.append(
            [
                f"INSERT INTO {SCHEMA}.{table} (shop_id, {columns}) SELECT 'shop-' || copy, {columns}"
                f" FROM {SCHEMA}.{table}, generate_series(2, {SHOPS}) AS copy WHERE shop_id = '{first}'"
                for table, columns in named.items()
            ]
        )

    def write(some: list[str]) -> None:
        with psycopg.connect(connection.info.dsn, autocommit=True) as own:
            own.execute("SET synchronous_commit = off")
            own.execute("SET session_replication_role = replica")  # no triggers: what days come to is copied
            for query in some:
                own.execute(query.encode())

    with ThreadPoolExecutor(len(queries)) as beside:
        list(beside.map(write, queries))
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _pid_of(connection: psycopg.Connection[Any]) -> int:
    """Return the process id of the database's server, whose backends are its children."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text(encoding="ascii")
    return int(stat.rpartition(")")[2].split()[1])


def _users(connection: psycopg.Connection[Any]) -> list[User]:
    """Make the accounts: in each shop a manager, and of the agents those with an account here."""
    shops = [one for (one,) in connection.execute("SELECT DISTINCT shop_id FROM shop_settings ORDER BY 1")]
    query = "SELECT DISTINCT agent_id FROM roster WHERE shop_id = %s ORDER BY 1 LIMIT %s"
    users = []
    password = hashed(PASSWORD)
    accounts = Accounts(connection)
    for shop_id in shops:
        agents = [one for (one,) in connection.execute(query, [shop_id, PER_SHOP - 1])]
        for agent_id in (None, *agents):
            user = User(f"{shop_id}-{agent_id or 'manager'}", shop_id, agent_id)
            role = Role.MANAGER if agent_id is None else Role.AGENT
            accounts.add(user.login, user.login, role, [Duty(shop_id, agent_id)])
            accounts.set_password(accounts.link(user.login), password)
            users.append(user)
    return users


def _order_ids(connection: psycopg.Connection[Any]) -> list[str]:
    """Return some orders, which every shop has."""
    query = "SELECT DISTINCT order_id FROM decision WHERE counted_ts >= %s ORDER BY 1 LIMIT 1000"
    return [one for (one,) in connection.execute(query, [END_TS - 7 * DAY_MS])]


@contextmanager
def _console(dsn: str, folder: Path) -> Iterator[tuple[int, str]]:
    """Run ``stream-attr console`` on a ledger; give its process id and its address."""
    port = server.free_port()
    socket = dict(word.split("=", 1) for word in dsn.split() if "=" in word)["host"]
    url = f"postgresql://postgres@/stream_attr?host={quote(socket, safe='')}"
    words = [sys.executable, "-P", "-m", "stream_attr", "console", "--database", url, "--port", str(port)]
    with (folder / "console.log").open("wb") as log:
        process = server.spawn(words, log)
        try:
            address = f"http://127.0.0.1:{port}"
            _await_ready(process, address)
            yield process.pid, address
        finally:
            server.stop(process)


def _await_ready(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the console has ended"
        try:
            if httpx2.get(f"{address}/ready").status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("the console is not ready")


async def _load(address: str, users: list[User], orders: list[str]) -> list[Asked]:
    """Let everybody look at pages for a while; return all that they have looked at."""
    found: list[Asked] = []
    all_there = asyncio.Barrier(len(users))
    await asyncio.gather(*(_user(address, user, orders, found, all_there) for user in users))
    return found


async def _user(
    address: str, user: User, orders: list[str], found: list[Asked], all_there: asyncio.Barrier
) -> None:
    """Log in, wait until all are there, and look at one page after the other."""
    chance = random.Random(user.login)
    async with httpx2.AsyncClient(base_url=address, follow_redirects=True, timeout=60) as client:
        await asyncio.sleep(chance.uniform(0, WARM_S / 2))
        await _log_in(client, user)
        await all_there.wait()
        began = time.monotonic()
        end = began + WARM_S + ROUNDS * ROUND_S
        await asyncio.sleep(chance.uniform(0, THINK_S))
        while time.monotonic() < end:
            path = chance.choice(MANAGER if user.agent_id is None else AGENT)
            if path == ORDER:
                path += chance.choice(orders)
            await _ask(client, path, found, began)
            leaves = time.monotonic() + chance.expovariate(1 / THINK_S)
            while path == "/today" and time.monotonic() + POLL_S < leaves:
                await asyncio.sleep(POLL_S)
                await _ask(client, "/today?part=live", found, began)
            await asyncio.sleep(max(leaves - time.monotonic(), 0))


async def _log_in(client: httpx2.AsyncClient, user: User) -> None:
    """Log in; where too many do so at once, again after a while, as the page asks for."""
    form = {"login": user.login, "password": PASSWORD, "next": "/orders"}
    for _ in range(LOG_INS):
        answer = await client.post("/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        if answer.url.path == "/orders":
            return
        await asyncio.sleep(2)
    raise AssertionError(f"{user.login} could not log in: {answer.status_code}")


async def _ask(client: httpx2.AsyncClient, path: str, found: list[Asked], began: float) -> None:
    asked = time.monotonic()
    try:
        answer = await client.get(path)
    except (httpx2.ReadError, httpx2.RemoteProtocolError):  # of a connection that was idle: as browsers do
        answer = await client.get(path)
    assert answer.status_code in (200, 204), f"{path}: {answer.status_code}"
    ms = (time.monotonic() - asked) * 1000
    found.append(Asked(path.partition("order=")[0], asked - began, ms))
