"""``stream-attr explain``: the decision on an order, or a buyer's day, in sentences.

A worker answers for orders; the output of ``replay`` and event files answer for both.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.text import Text

from stream_attr.cli.params import (
    DURATION,
    EXISTING_FOLDER,
    TIME,
    WEB_URL,
    FilesCommand,
    accept_future_option,
)
from stream_attr.cli.progress import Progress
from stream_attr.cli.secured import web_token_option
from stream_attr.cli.terminal import echo
from stream_attr.codec.visible import visible
from stream_attr.errors import UnusableError
from stream_attr.explain.buyer_day import explain_buyer_day, problems_of
from stream_attr.explain.decision import explain_decision
from stream_attr.explain.from_events import (
    EventFiles,
    agent_history_from_events,
    agents_from_events,
    buyer_day_from_events,
    decisions_from_events,
    shop_from_files,
)
from stream_attr.explain.from_replay import (
    agents_from_replay,
    buyer_day_from_replay,
    decisions_from_replay,
    receptions_from_replay,
    refused_from_replay,
)
from stream_attr.explain.from_worker import decision_from_worker
from stream_attr.explain.messages import LANGUAGES
from stream_attr.explain.roster_names import (
    agent_named,
    agents_from_files,
    names_from_files,
    no_such_agent,
)
from stream_attr.explain.verify import Decision, FoundDecision, agents_of, of_last_buyer, verify
from stream_attr.explain.view import intervals_of
from stream_attr.explain.why_not import AgentHistory
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.kafka.secret import Secret
from stream_attr.replay.run import Inputs
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import MIDNIGHT, day_number, zone
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE, OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["command", "wrapped"]

DEFAULT_URL = "http://127.0.0.1:6066"
FIRST_DAY, LAST_DAY = day_number("2000-01-01"), day_number("2099-12-31")
NOT_A_DECISION = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What explaining raises for JSON that is not a decision."""


class _Source(NamedTuple):
    """Where decisions come from: event files, else the output of a replay, else a worker."""

    inputs: Inputs
    """All files named; settings and roster, too, where the decisions come from elsewhere."""
    files: EventFiles | None
    directory: Path | None
    url: str
    token: Secret | None


def _zone(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    try:
        return None if name is None else zone(name).name
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _day_cut(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        return None if text is None else zone(DEFAULT_TIMEZONE, text).day_cut
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _day(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        day = day_number(name)
    except ValueError as error:
        raise click.BadParameter(f"{name!r} is not a day like 2026-11-01: {error}.") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise click.BadParameter(f"{name!r} is not in the years 2000 to 2099.")
    return name


@click.command(name="explain", cls=FilesCommand)
@click.argument("shop")
@click.argument("order", required=False)
@click.option(
    "--agent",
    metavar="AGENT",
    help="Answer why this agent, by id or by name in the roster, does not have the credit of ORDER.",
)
@click.option("--buyer", metavar="BUYER", help="Instead of ORDER: a buyer, together with --day.")
@click.option("--day", metavar="YYYY-MM-DD", callback=_day, help="A day in the shop's time zone.")
@click.option(
    "--url", metavar="URL", type=WEB_URL, help=f"Web address of any worker.  [default: {DEFAULT_URL}]"
)
@web_token_option
@click.option(
    "--wait",
    metavar="DURATION",
    type=DURATION,
    default="5s",
    show_default=True,
    help="How long to wait until the worker has processed the order.",
)
@click.option(
    "--from",
    "directory",
    type=EXISTING_FOLDER,
    help="Output directory of replay.",
)
@click.option(
    "--chat", metavar="FILE…", multiple=True, help="Chat events, which are replayed for this explanation."
)
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings on the credit of orders.")
@click.option(
    "--roster",
    metavar="FILE…",
    multiple=True,
    help="Roster records. With --url and --from: for the agents' names.",
)
@click.option(
    "--settings",
    metavar="FILE…",
    multiple=True,
    help="Settings records; they hold from any day that they name. With --url and --from: for the time zone, "
    "and for how much too early a chat of --agent was.",
)
@click.option(
    "--until",
    metavar="TIME",
    type=TIME,
    help="With event files: where the watermark stops, as for replay.",
)
@click.option(
    "--allowed-lateness",
    metavar="DURATION",
    type=DURATION,
    default="5m",
    show_default=True,
    help="With event files: how far the watermark stays behind the newest event.",
)
@accept_future_option
@click.option("--profile", default=OFFICIAL, show_default=True, help="Another profile (not from a worker).")
@click.option(
    "--timezone",
    metavar="NAME",
    callback=_zone,
    help=f"Time zone of all times: the shop's.  [default: {DEFAULT_TIMEZONE}; with event files, by the "
    "shop's settings]",
)
@click.option(
    "--day-cut",
    metavar="HH:MM",
    callback=_day_cut,
    help="With --from and --day: when the shop's days begin.  [default: by the shop's settings, else "
    f"{MIDNIGHT}]",
)
@click.option("--lang", type=click.Choice(sorted(LANGUAGES)), default="en", show_default=True)
def command(
    shop: str,
    order: str | None,
    agent: str | None,
    buyer: str | None,
    day: str | None,
    url: str | None,
    web_token: Secret | None,
    wait: int,
    directory: Path | None,
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    rulings: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    until: int | None,
    allowed_lateness: int,
    accept_future: bool,
    profile: str,
    timezone: str | None,
    day_cut: str | None,
    lang: str,
) -> None:
    """Explain the decision on ORDER of SHOP: the candidates and their figures, the rule that decided, what
    did not count, and whether the decision can still change.

    With --buyer and --day instead of ORDER, explain a buyer's day: the messages with each agent, the
    figures and where they come from, the outcome of each inquiry, and what the buyer adds to the figures
    of the agents and the shop.

    With --agent, answer first why that agent does not have the credit: what stood between the two, and
    which of the agent's chats with the buyer did not count, and why.

    The records come from a worker (orders only), from the output of replay (--from), or from event files
    (--chat, --orders, --roster, --settings).

    Verifies each verdict by its receipt, and with event files the figures by the messages. Ends with exit
    code 1 if one is not supported.
    """
    if (order is None) == (buyer is None and day is None):
        raise click.UsageError("name what to explain: either ORDER, or --buyer and --day.")
    inputs = Inputs(chat, orders, roster, settings, rulings)
    if agent is not None and order is None:
        raise click.UsageError("--agent needs ORDER.")
    has_events = bool(chat or orders or rulings)
    if (url is not None) + (directory is not None) + has_events > 1:
        raise click.UsageError(
            "--url, --from and event files (--chat, --orders, --rulings) exclude each other: "
            "give one of them."
        )
    if has_events and not chat and not orders:
        raise click.UsageError("there are no events: give --chat, --orders or both.")
    if STANDARD_INPUT in (*chat, *orders, *roster, *settings, *rulings):
        raise click.UsageError("standard input (-) cannot be read twice, as explain reads files.")
    if until is not None and not has_events:
        raise click.UsageError("--until needs event files (--chat, --orders).")
    progress = Progress("read")
    now = None if accept_future else wall_clock_ms()
    source = _Source(
        inputs,
        EventFiles(inputs, until, allowed_lateness, now, progress) if has_events else None,
        directory,
        url or DEFAULT_URL,
        web_token,
    )
    try:
        if order is None:
            lines, supported = _explain_buyer_day(source, shop, buyer, day, profile, timezone, day_cut, lang)
        else:
            lines, supported = _explain_order(
                source, shop, order, agent, profile, timezone, lang, wait / 1000
            )
    finally:
        progress.clear()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        for part in [line] if width is None else wrapped(visible(line), width):
            echo(part)
    if not supported:
        sys.exit(1)


def wrapped(line: str, width: int) -> list[str]:
    """Break a line at ``width`` terminal cells; what follows is indented four cells deeper."""
    text = line.lstrip(" ")
    indent = line[: len(line) - len(text)]
    room = max(width - len(indent) - 4, 20)
    parts = [part.plain.rstrip() for part in Text(text).wrap(Console(width=room), room)] or [""]
    return [indent + parts[0], *(f"{indent}    {part}" for part in parts[1:])]


def _explain_buyer_day(
    source: _Source,
    shop: str,
    buyer: str | None,
    day: str | None,
    profile: str,
    timezone: str | None,
    day_cut: str | None,
    lang: str,
) -> tuple[list[str], bool]:
    """Return the lines, and whether messages, figures and verdicts are consistent."""
    if buyer is None or day is None:
        raise click.UsageError("--buyer and --day need each other.")
    if profile != OFFICIAL:
        raise click.UsageError("--profile needs ORDER: figures exist for the official profile only.")
    if source.files is not None:
        view = buyer_day_from_events(source.files, shop, buyer, day)
    elif source.directory is not None:
        if source.inputs.settings:
            known = shop_from_files(source.inputs, shop).zone
            timezone, day_cut = timezone or known.name, day_cut or known.day_cut
        names = names_from_files(source.inputs.roster, shop)
        days = zone(timezone or DEFAULT_TIMEZONE, day_cut or MIDNIGHT)
        view = buyer_day_from_replay(source.directory, shop, buyer, day, days, names)
    else:
        raise click.UsageError(
            "a worker has orders only; a buyer's day needs --from DIR with the output of replay, "
            "or event files (--chat, --orders, --roster, --settings)."
        )
    return explain_buyer_day(view, zone=timezone, language=lang), not problems_of(view)


def _explain_order(
    source: _Source,
    shop_id: str,
    order: str,
    agent: str | None,
    profile: str,
    timezone: str | None,
    lang: str,
    wait_s: float,
) -> tuple[list[str], bool]:
    """Return the lines, and whether the receipt of the last decision supports its verdict."""
    names = names_from_files(source.inputs.roster, shop_id)
    knows_rules = source.files is not None or bool(source.inputs.settings)
    shop = shop_from_files(source.inputs, shop_id) if knows_rules else None
    found, refused, facts = _decisions(source, shop_id, order, profile, wait_s)
    history, other_buyers = of_last_buyer(found)
    decisions = [one.decision for one in history]
    decision = decisions[-1]
    timezone = timezone or (DEFAULT_TIMEZONE if shop is None else shop.zone.name)
    try:
        why_not = None
        if agent is not None:
            agent_id = agent_named(agent, names)
            agent_history = _agent_history(source, decision, agent_id, shop, refused)
            if not agent_history.receptions and not agent_history.refused:
                _require_agent(source, decision, agent_id, names)
            why_not = agent_id, agent_history
        lines = explain_decision(
            decision,
            history=decisions,
            other_buyers=other_buyers,
            facts=facts.get(decision["buyer_id"]),
            why_not=why_not,
            names=names,
            zone=timezone,
            language=lang,
        )
        return lines, not verify(decision)
    except NOT_A_DECISION as error:
        raise UnusableError(_not_a_decision(history, timezone, error)) from error


def _decisions(
    source: _Source, shop: str, order: str, profile: str, wait_s: float
) -> tuple[list[FoundDecision], dict[tuple[str, int], str], dict[str, Order]]:
    """Return the revisions of an order under a profile, the oldest first.

    Of event files also the refused events, and the facts of the order by buyer; see `OrderRevisions`.
    """
    if source.files is not None:
        revisions = decisions_from_events(source.files, shop, order, profile)
        if not revisions.decisions:
            raise UnusableError(
                f"the files give no decision on order {order} of shop {shop} under profile {profile}"
            )
        found = [FoundDecision("the files", one) for one in revisions.decisions]
        return found, revisions.refused, revisions.facts
    if source.directory is not None:
        return decisions_from_replay(source.directory, shop, order, profile), {}, {}
    if profile != OFFICIAL:
        raise click.UsageError(
            "a worker has the official profile only; --profile needs --from or event files."
        )
    return [decision_from_worker(source.url, source.token, shop, order, wait_s)], {}, {}


def _agent_history(
    source: _Source,
    decision: Decision,
    agent_id: str,
    shop: Shop | None,
    refused: dict[tuple[str, int], str],
) -> AgentHistory:
    """Return what the source knows of an agent and the order's buyer; a worker has the decision alone."""
    if source.files is not None:
        assert shop is not None
        return agent_history_from_events(source.files, decision, refused, agent_id, shop)
    intervals = None if shop is None else intervals_of(decision, shop)
    if source.directory is None:
        return AgentHistory(intervals=intervals)
    pair = decision["shop_id"], decision["buyer_id"], agent_id
    return AgentHistory(
        receptions_from_replay(source.directory, *pair),
        intervals,
        refused_from_replay(source.directory, *pair),
    )


def _require_agent(source: _Source, decision: Decision, agent_id: str, names: Mapping[str, str]) -> None:
    """Refuse an agent whom nothing names that can be read; a decision alone does not name all there are."""
    shop_id, roster = decision["shop_id"], source.inputs.roster
    found: set[str] | None = None
    if source.files is not None:
        found = agents_from_events(source.files, shop_id)
    elif source.directory is not None:
        found = agents_from_replay(source.directory, shop_id)
    if found is None and not roster:
        return
    there = agents_of(decision) | agents_from_files(roster, shop_id) | (found or set())
    if agent_id not in there:
        raise UnusableError(no_such_agent(agent_id, there, names, has_roster=bool(roster)))


def _not_a_decision(history: list[FoundDecision], timezone: str, error: Exception) -> str:
    """Return which of them is not a decision, and why."""
    for found in history:
        try:
            explain_decision(found.decision, history=[found.decision] * 2, zone=timezone)
            verify(found.decision)
        except NOT_A_DECISION as own:
            return f"{found.place}: not a decision: {own!r}"
    return f"{history[-1].place}: not a decision: {error!r}"
