"""``stream-attr appeal``: appeals against decisions, on the ledger (docs/guides/appeals.md)."""

from __future__ import annotations

from typing import Any

import click

from stream_attr.cli.appeal_ledger import NOBODY, agent_of, opened, writer_options
from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.pay_ledger import BY
from stream_attr.cli.report_made import output_options, write
from stream_attr.cli.terminal import echo
from stream_attr.kafka.writer import TopicWriter
from stream_attr.ledger.appeals.words import ANSWERS, Answer, Reason, State

_SHOP = click.argument("shop_id", metavar="SHOP")
_APPEAL = click.argument("appeal_id", metavar="APPEAL")


@click.group(name="appeal")
def command() -> None:
    """Appeal against decisions, and answer appeals; a grant publishes a ruling."""


@command.command(name="open")
@_SHOP
@click.argument("order_id", metavar="ORDER")
@click.option("--agent", "agent_id", required=True, help="Who appeals.")
@click.option(
    "--expect",
    "expected",
    metavar=f"AGENT|{NOBODY}",
    required=True,
    help="Who is to have the sale.",
)
@click.option("--reason", type=click.Choice([*map(str, Reason)]), required=True, help="Why.")
@click.option("--comment", metavar="TEXT", required=True, help="A sentence about it.")
@BY
@database_options
def open_(
    shop_id: str,
    order_id: str,
    agent_id: str,
    expected: str,
    reason: str,
    comment: str,
    by: str,
    where: Where,
) -> None:
    """Appeal against the final decision on ORDER, of which an agent has the sale or is to have it."""
    opening = ledger_module("appeals.opening")
    name = ledger_module("pay.schemes").who(by)
    with opened(where) as connection:
        ledger_module("appeals.parties").known_agent(connection, shop_id, agent_id)
        asked = opening.Asked(shop_id, order_id, Reason(reason), comment, agent_of(expected))
        one = opening.open_appeal(connection, asked, [agent_id], name)
    echo(f"opened appeal {one.appeal_id} of {agent_id} about order {order_id} of {shop_id}")


@command.command(name="list")
@_SHOP
@click.option(
    "--state",
    "states",
    type=click.Choice([*map(str, State)]),
    multiple=True,
    help="In this state; several are allowed.  [default: open]",
)
@click.option("--agent", "agents", multiple=True, help="Of this agent; several are allowed.  [default: all]")
@click.option(
    "--by-amount", is_flag=True, help="The largest order first.  [default: the oldest appeal first]"
)
@output_options
@database_options
def list_(
    shop_id: str,
    states: tuple[str, ...],
    agents: tuple[str, ...],
    by_amount: bool,
    where: Where,
    **output: Any,
) -> None:
    """Show the appeals of SHOP, with their orders as they stand now."""
    with opened(where) as connection, ledger_module("reports.scope").snapshot(connection):
        ledger_module("reports.scope").require_shop(connection, shop_id)
        report = ledger_module("appeals.sheet").appeals_report(
            connection,
            shop_id,
            states=states or (State.OPEN,),
            agents=agents or None,
            by_amount=by_amount,
        )
        write(report, **output)


@command.command()
@_SHOP
@_APPEAL
@click.option("--grant", is_flag=True, help="Give the sale to whom the appeal expects.")
@click.option(
    "--credit", metavar=f"AGENT|{NOBODY}", help="Grant it in part: give the sale to somebody else, or nobody."
)
@click.option("--refuse", is_flag=True, help="Uphold the decision.")
@click.option("--comment", metavar="TEXT", default="", help="Why; needed but for --grant.")
@BY
@writer_options
@database_options
def answer(
    shop_id: str,
    appeal_id: str,
    grant: bool,
    credit: str | None,
    refuse: bool,
    comment: str,
    by: str,
    writer: TopicWriter,
    where: Where,
) -> None:
    """Answer an open APPEAL of SHOP; what grants it is published before it is answered.

    An answer that was broken off while its ruling was published is ended by giving it again.
    """
    if grant + (credit is not None) + refuse != 1:
        raise click.UsageError("name one: --grant, --credit or --refuse.")
    answering = ledger_module("appeals.answering")
    name = ledger_module("pay.schemes").who(by)
    with opened(where) as connection:
        who = ledger_module("acting").acting(connection, name, is_account=False)
        if refuse:
            one = answering.refuse(connection, shop_id, appeal_id, comment, who)
        elif answering.publish_again(connection, writer, (shop_id, appeal_id)):
            one = ledger_module("appeals.appeal").found(connection, shop_id, appeal_id)
            echo(f"it had been granted by {one.answered_by}, and the ruling is published now", err=True)
        else:
            how = answering.Grant(comment, agent_of(credit or NOBODY), in_part=credit is not None)
            one = answering.grant(connection, writer, shop_id, appeal_id, how, who)
        _tell(connection, one)


def _tell(connection: Any, one: Any) -> None:
    text = ANSWERS[Answer(one.answer)].english
    if one.ruling is None:
        echo(f"answered appeal {one.appeal_id}: {text}")
        return
    to = one.ruling["agent_id"]
    event_id = one.ruling["event_id"]
    echo(f"answered appeal {one.appeal_id}: {text}; ruling {event_id} gives the sale to {to or NOBODY}")
    now = ledger_module("appeals.appeal").case(connection, one.shop_id, one.order_id)
    note = ledger_module("appeals.closed").closed_month(connection, one.shop_id, now, (one.held_agent_id, to))
    if note is not None:
        echo(note.english, err=True)


@command.command()
@_SHOP
@_APPEAL
@BY
@database_options
def withdraw(shop_id: str, appeal_id: str, by: str, where: Where) -> None:
    """Withdraw an open APPEAL of SHOP."""
    name = ledger_module("pay.schemes").who(by)
    with opened(where) as connection:
        ledger_module("appeals.opening").withdraw(connection, shop_id, appeal_id, name)
    echo(f"withdrew appeal {appeal_id}")
