"""``stream-attr pay``: schemes, who is paid by them, and a month's runs (docs/guides/paying.md)."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.pay_ledger import BY, looked, noted, opened
from stream_attr.cli.pay_run import COMMANDS
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError
from stream_attr.pay.employment import Employment

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group(name="pay")
def command() -> None:
    """Pay persons by schemes: what each month comes to by the ledger, checked and approved by people."""


for one in COMMANDS:
    command.add_command(one)


@command.group()
def scheme() -> None:
    """Check and keep pay schemes; a version that is kept never changes."""


@scheme.command()
@_FILE
def check(file: Path) -> None:
    """Check a scheme, a JSON document."""
    found = ledger_module("pay.schemes").read_file(file)
    components = len(found.components)
    echo(
        f"{file}: scheme {found.scheme_id}, version {found.version}, {components} components: can be paid by"
    )


@scheme.command()
@_FILE
@BY
@database_options
def put(file: Path, by: str, where: Where) -> None:
    """Keep a version of a scheme."""
    module = ledger_module("pay.schemes")
    found = module.read_file(file)
    with opened(where) as connection:
        is_new = module.Schemes(connection).put(found, by)
        noted(connection, by, "put scheme", f"{found.scheme_id} {found.version}")
    state = "put" if is_new else "there already, the same:"
    echo(
        f"{state} scheme {found.scheme_id}, version {found.version}, from {found.effective_from}",
        err=True,
    )


@scheme.command(name="list")
@database_options
def list_(where: Where) -> None:
    """Show the versions of all schemes."""
    with opened(where) as connection:
        for one in ledger_module("pay.schemes").Schemes(connection).all():
            its = one.scheme
            echo(f"{its.scheme_id} {its.version} from {its.effective_from}, put by {one.put_by}")


@command.group()
def person() -> None:
    """Say who is paid by which scheme; the roster says who is which agents."""


@person.command(name="set")
@click.argument("person_id", metavar="PERSON")
@click.option("--scheme", "scheme_id", required=True, help="The scheme that pays the person.")
@click.option("--from", "first_day", metavar="DAY", required=True, help="First day of employment.")
@click.option("--to", "last_day", metavar="DAY", help="Last day, included.  [default: no end is known]")
@click.option("--probation-until", metavar="DAY", help="Last day of probation.  [default: there is none]")
@click.option("--name", help="For people to read.")
@BY
@database_options
def set_(
    person_id: str,
    scheme_id: str,
    first_day: str,
    last_day: str | None,
    probation_until: str | None,
    name: str | None,
    by: str,
    where: Where,
) -> None:
    """Enter a person, by the roster's person_id, in place of what is kept of the same one."""
    module = ledger_module("pay.persons")
    employment = Employment(first_day, last_day, probation_until)
    with opened(where) as connection:
        module.Persons(connection).put(module.Paid(person_id, name, scheme_id, employment), by)
        noted(
            connection,
            by,
            "set paid person",
            f"{person_id}: {scheme_id}, {' '.join(filter(None, employment))}",
        )
        accounts = module.Accounts(connection, [person_id]).of(person_id)
    echo(f"set {person_id}, paid by scheme {scheme_id} from {first_day}", err=True)
    if not accounts:
        echo(f"the roster does not say which agents {person_id} is: publish it with `person_id`", err=True)


@person.command(name="list")
@click.option("--scheme", "scheme_id", help="Those of one scheme.")
@database_options
def list_persons(scheme_id: str | None, where: Where) -> None:
    """Show who is paid by which scheme, and who is which agents from when."""
    module = ledger_module("pay.persons")
    day_name = ledger_module("periods").day_name
    with opened(where) as connection:
        looked(connection, "persons")
        found = module.Persons(connection).all(scheme_id)
        if scheme_id is not None and not found:
            raise UnusableError(f"nobody is paid by scheme {scheme_id}: see stream-attr pay person list")
        accounts = module.Accounts(connection, [one.person_id for one in found])
        for one in found:
            first, last, probation = one.employment
            days = f"{first} to {last or 'now'}{f', probation until {probation}' if probation else ''}"
            echo(f"{one.person_id}{f' {one.name}' if one.name else ''}: {one.scheme_id}, {days}")
            for account in accounts.of(one.person_id):
                echo(f"  {account.agent_id} of {account.shop_id} from {day_name(account.day)}")
