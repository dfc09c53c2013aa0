"""``stream-attr console user``: who may log in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import click

from stream_attr.cli.database import Where, ledger_module
from stream_attr.cli.optional import optional_module
from stream_attr.cli.terminal import echo
from stream_attr.console.roles import Role

__all__ = ["console_module", "user"]

_ROLES = click.Choice([*map(str, Role)])
_SHOPS = click.option(
    "--shop",
    "shops",
    metavar="SHOP[=AGENT]…",
    multiple=True,
    help="A shop that it sees; of role agent with the agent who the person is there. Roles admin and auditor "
    "see all.",
)


def console_module(name: str) -> ModuleType:
    """Import a module of ``stream_attr.console``. Raises as `optional_module`."""
    return optional_module(f"console.{name}", "console", "the console")


@click.group()
def user() -> None:
    """Who may log in: accounts, their roles and shops."""


@user.command()
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", type=_ROLES, required=True, help="What the account is for.")
@_SHOPS
@click.option(
    "--person",
    "person_id",
    help="Who it is, by the roster's person_id: nobody decides about oneself.  [default: as its agents]",
)
@click.pass_obj
def add(
    given: tuple[Where, str], login: str, name: str, role: str, shops: tuple[str, ...], person_id: str | None
) -> None:
    """Make an account, and print a link with which LOGIN sets a password, once and within a day."""
    where, address = given
    with _changes(where) as changes:
        _print_link(address, changes.add(login, name, Role(role), _duties(shops), person_id))


@user.command()
@click.argument("login")
@click.pass_obj
def link(given: tuple[Where, str], login: str) -> None:
    """Print another link with which LOGIN sets a password, once and within a day."""
    where, address = given
    with _changes(where) as changes:
        _print_link(address, changes.link(login))


@user.command()
@click.argument("login")
@click.pass_obj
def disable(given: tuple[Where, str], login: str) -> None:
    """End the sessions of LOGIN, and let it log in no more."""
    with _changes(given[0]) as changes:
        changes.set_active(login, active=False)


@user.command()
@click.argument("login")
@click.pass_obj
def enable(given: tuple[Where, str], login: str) -> None:
    """Let LOGIN log in again."""
    with _changes(given[0]) as changes:
        changes.set_active(login, active=True)


@user.command(name="role")
@click.argument("login")
@click.argument("role", type=_ROLES)
@_SHOPS
@click.pass_obj
def role_(given: tuple[Where, str], login: str, role: str, shops: tuple[str, ...]) -> None:
    """Give LOGIN another role, and the shops that are named now; its sessions end."""
    with _changes(given[0]) as changes:
        changes.set_role(login, Role(role), _duties(shops))


@user.command()
@click.argument("login")
@click.argument("person_id", metavar="PERSON")
@click.pass_obj
def person(given: tuple[Where, str], login: str, person_id: str) -> None:
    """Say who LOGIN is, by the roster's person_id: nobody decides about oneself."""
    with _changes(given[0]) as changes:
        changes.set_person(login, person_id)


@user.command()
@click.argument("login", required=False)
@click.pass_obj
def sessions(given: tuple[Where, str], login: str | None) -> None:
    """List who is logged in, or the sessions of LOGIN: number, how, since when and when last used."""
    with _connected(given[0]) as connection:
        if login is not None:
            console_module("accounts").Accounts(connection).find(login)
        for one in console_module("sessions").Sessions(connection).all(login):
            began, used = (_clock(ts) for ts in (one.started_ts, one.used_ts))
            echo(f"{one.login}  {one.number}  {one.way}  since {began}  used {used}")


@user.command()
@click.argument("login")
@click.argument("number", type=int, required=False)
@click.pass_obj
def end(given: tuple[Where, str], login: str, number: int | None) -> None:
    """End the session of LOGIN with this NUMBER, as sessions lists it, or all of them."""
    with _changes(given[0]) as changes:
        if number is None:
            changes.end_sessions(login)
        else:
            changes.end_session(login, number)


@user.command(name="list")
@click.pass_obj
def list_(given: tuple[Where, str]) -> None:
    """List all accounts with their roles and shops."""
    changes = console_module("account_changes")
    with _connected(given[0]) as connection:
        for one in console_module("accounts").Accounts(connection).all():
            shops = " ".join(changes.shops_in_words(one))
            state = "" if one.active else "  disabled"
            password = "" if one.has_password else "  no password yet"
            seen = "all shops" if one.role.sees_all_shops else shops
            who = "" if one.person_id is None else f"  person {one.person_id}"
            echo(f"{one.login}  {one.role}  {one.name}  {seen}{who}{state}{password}")


@contextmanager
def _connected(where: Where) -> Iterator[Any]:
    """Yield a connection to the ledger."""
    with ledger_module("database.connect").Database(*where) as database:
        ledger_module("database.migrate").migrate(database)
        with database.connection(autocommit=True, application="stream-attr console user") as connection:
            yield connection


@contextmanager
def _changes(where: Where) -> Iterator[Any]:
    """Yield what changes accounts of the ledger."""
    with _connected(where) as connection:
        yield console_module("account_changes").AccountChanges(connection, None)


def _duties(shops: tuple[str, ...]) -> Any:
    return console_module("account_changes").duties_of(shops)


def _clock(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _print_link(address: str, secret: str) -> None:
    echo(f"{address.rstrip('/')}/link?token={secret}")
    echo(
        "The link can be used once, within a day: it sets the password. Send it to this person alone.",
        err=True,
    )
