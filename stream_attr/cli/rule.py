"""``stream-attr rule``: give the sale of an order to an agent or to nobody, over the rules."""

from __future__ import annotations

import uuid
from typing import Any

import click
import orjson

from stream_attr.cli.appeal_ledger import NOBODY, agent_of, opened, writer_options
from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.pay_ledger import BY
from stream_attr.cli.terminal import echo
from stream_attr.contract.topics import RULINGS
from stream_attr.errors import UnusableError
from stream_attr.kafka.writer import TopicWriter


@click.command(name="rule")
@click.argument("shop_id", metavar="SHOP")
@click.argument("order_id", metavar="ORDER")
@click.option("--credit", metavar=f"AGENT|{NOBODY}", help="Who gets the sale.")
@click.option("--withdraw", is_flag=True, help="Take the ruling back that holds: the rules decide again.")
@BY
@click.option(
    "--buyer",
    "buyer_id",
    help="The order's buyer; nothing is then asked of the ledger.  [default: as the ledger has it]",
)
@writer_options
@database_options
def command(
    shop_id: str,
    order_id: str,
    credit: str | None,
    withdraw: bool,
    by: str,
    buyer_id: str | None,
    writer: TopicWriter,
    where: Where,
) -> None:
    """Rule on the credit of ORDER: publish a ruling, which the worker sets over the rules.

    The ledger names the buyer, and is asked whether the agent is known; nobody rules about oneself.
    """
    if (credit is None) == (not withdraw):
        raise click.UsageError(f"name one: --credit AGENT, --credit {NOBODY} or --withdraw.")
    to = None if credit is None else agent_of(credit)
    if buyer_id is not None:
        _publish(None, writer, _ruled(shop_id, buyer_id, order_id, to, by, withdraw=withdraw))
    else:
        with opened(where) as connection:
            now = _case(connection, shop_id, order_id)
            _check(connection, shop_id, now, to, by, withdraw=withdraw)
            ruled = _ruled(shop_id, now.buyer_id, order_id, to, by, withdraw=withdraw)
            _publish(connection, writer, ruled)
            closed = ledger_module("appeals.closed").closed_month
            note = closed(connection, shop_id, now, (now.agent_id, to))
            if note is not None:
                echo(note.english, err=True)


def _ruled(shop_id: str, buyer_id: str, order_id: str, to: str | None, by: str, *, withdraw: bool) -> Any:
    name = ledger_module("pay.schemes").who(by)
    return ledger_module("appeals.rulings").Ruled(shop_id, buyer_id, order_id, to, name, withdraw)


def _case(connection: Any, shop_id: str, order_id: str) -> Any:
    """Return the decision on an order. Raises UnusableError where there is none."""
    now = ledger_module("appeals.appeal").case(connection, shop_id, order_id)
    if now is None:
        raise UnusableError(
            f"the ledger has no decision on order {order_id} of shop {shop_id}: check both, or name its "
            "buyer with --buyer, for an order that comes later"
        )
    return now


def _check(connection: Any, shop_id: str, now: Any, to: str | None, by: str, *, withdraw: bool) -> None:
    """Refuse an agent of whom nobody knows, and who would rule about oneself; say what is in vain."""
    parties = ledger_module("appeals.parties")
    if to is not None:
        parties.known_agent(connection, shop_id, to)
    who = ledger_module("acting").acting(connection, by, is_account=False)
    parties.refuse_concerned(connection, who, shop_id, (now.agent_id, to))
    if withdraw and not ledger_module("appeals.rulings").holds(connection, shop_id, now.order_id):
        echo(f"the ledger knows of no ruling on order {now.order_id} that holds", err=True)
    elif not withdraw and now.outcome not in ("credited", "silent"):
        echo(f"order {now.order_id} is {now.outcome}: the ruling gives no credit while it is", err=True)


def _publish(connection: Any, writer: TopicWriter, ruled: Any) -> None:
    module = ledger_module("appeals.rulings")
    record = module.ruling_record(connection, ruled, f"rule-{uuid.uuid4().hex}")
    to = "the rules again" if ruled.is_withdrawn else ruled.agent_id or NOBODY
    with writer.opened(RULINGS) as write:
        if connection is not None:
            about = f"{ruled.order_id} {record['event_id']} to {to}"
            ledger_module("audit").note(connection, ruled.ruled_by, "rule", ruled.shop_id, about)
        write(module.ruling_key(record), orjson.dumps(record))
    echo(f"published ruling {record['event_id']}: order {ruled.order_id} of {ruled.shop_id} to {to}")
