"""``stream-attr explain``: one order's receipt, or a buyer's day, in words.

An order is asked for from a worker, both from what a replay wrote or from the events themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import click

from stream_attr.cli.params import DURATION, EXISTING_FOLDER, TIME, WEB_URL, FilesCommand
from stream_attr.cli.progress import Progress
from stream_attr.cli.secured import web_token_option
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError
from stream_attr.explain.buyer_day import explain_day, problems_of
from stream_attr.explain.decision import explain
from stream_attr.explain.from_events import Asked, decisions_from_events, known_from_events, shop_of
from stream_attr.explain.from_replay import from_replay, known_from
from stream_attr.explain.from_worker import Found, from_worker
from stream_attr.explain.messages import LANGUAGES
from stream_attr.explain.verify import verify
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.kafka.secret import Secret
from stream_attr.replay.run import Inputs
from stream_attr.rules.shop.days import day_number, zone
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE, OFFICIAL

__all__ = ["command"]

DEFAULT_URL = "http://127.0.0.1:6066"
FIRST_DAY, LAST_DAY = day_number("2000-01-01"), day_number("2099-12-31")
NO_DECISION = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What goes wrong when something else than a decision is to be told."""


class _Source(NamedTuple):
    """Where to ask: events to be judged, else what a replay wrote, else a worker."""

    asked: Asked | None
    directory: Path | None
    url: str
    token: Secret | None


def _zone(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    try:
        return None if name is None else zone(name).name
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _day(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        day = day_number(name)
    except ValueError as error:
        raise click.BadParameter(f"{name!r} is no day like 2026-11-01: {error}.") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise click.BadParameter(f"{name!r} is not in the years 2000 to 2099.")
    return name


@click.command(name="explain", cls=FilesCommand)
@click.argument("shop")
@click.argument("order", required=False)
@click.option("--buyer", metavar="BUYER", help="In place of ORDER: a buyer, and with --day which day.")
@click.option("--day", metavar="YYYY-MM-DD", callback=_day, help="A day of the shop's time zone.")
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
    help="How long to wait for a worker that does not know the order yet.",
)
@click.option(
    "--from",
    "directory",
    type=EXISTING_FOLDER,
    help="Directory that replay has written.",
)
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events, to be judged for this answer.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records, taken as they stand.")
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
    help="With event files: how far the watermark lies behind the newest event.",
)
@click.option("--profile", default=OFFICIAL, show_default=True, help="Another profile (not of a worker).")
@click.option(
    "--timezone",
    metavar="NAME",
    callback=_zone,
    help=f"Time zone to tell times in: the shop's.  [default: {DEFAULT_TIMEZONE}; with event files as the "
    "settings say]",
)
@click.option("--lang", type=click.Choice(sorted(LANGUAGES)), default="en", show_default=True)
def command(
    shop: str,
    order: str | None,
    buyer: str | None,
    day: str | None,
    url: str | None,
    web_token: Secret | None,
    wait: int,
    directory: Path | None,
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    until: int | None,
    allowed_lateness: int,
    profile: str,
    timezone: str | None,
    lang: str,
) -> None:
    """Tell in words how ORDER of SHOP was judged: who had which figures, which rule decided, what did not
    count, and whether it can still change.

    Or, with --buyer and --day in place of ORDER, what a buyer's day came to: what was said with whom, the
    figures and why they are as they are, what became of each inquiry, and what the buyer adds to the
    figures of the agents and the shop.

    It is asked of a worker (an order only), of what replay has written (--from), or of the events
    themselves (--chat, --orders, --roster, --settings).

    Checks what it tells against its grounds; ends with status 1 where these do not support it.
    """
    if (order is None) == (buyer is None and day is None):
        raise click.UsageError("say what to explain, one of the two: ORDER, or --buyer and --day.")
    inputs = Inputs(chat, orders, roster, settings)
    names = [*chat, *orders, *roster, *settings]
    if (url is not None) + (directory is not None) + bool(names) > 1:
        raise click.UsageError("give --url, --from or event files: one of them, not both.")
    if names and not chat and not orders:
        raise click.UsageError("nothing to judge: give --chat, --orders or both.")
    if STANDARD_INPUT in names:
        raise click.UsageError("standard input (-) can be read once only, and explain reads files twice.")
    if until is not None and not names:
        raise click.UsageError("--until goes with event files (--chat, --orders).")
    progress = Progress("read")
    source = _Source(
        Asked(inputs, until, allowed_lateness, progress) if names else None,
        directory,
        url or DEFAULT_URL,
        web_token,
    )
    try:
        if order is None:
            lines, sound = _told_day(source, shop, buyer, day, profile, timezone, lang)
        else:
            lines, sound = _told_order(source, shop, order, profile, timezone, lang, wait / 1000)
    finally:
        progress.clear()
    for line in lines:
        echo(line)
    if not sound:
        sys.exit(1)


def _told_day(
    source: _Source,
    shop: str,
    buyer: str | None,
    day: str | None,
    profile: str,
    timezone: str | None,
    lang: str,
) -> tuple[list[str], bool]:
    """Return the lines that tell a buyer's day, and whether all in it goes together."""
    if buyer is None or day is None:
        raise click.UsageError("--buyer and --day go together: whose day, and which.")
    if profile != OFFICIAL:
        raise click.UsageError("figures are those of the official profile; --profile goes with ORDER.")
    if source.asked is not None:
        known = known_from_events(source.asked, shop, buyer, day)
    elif source.directory is not None:
        known = known_from(source.directory, shop, buyer, day, zone(timezone or DEFAULT_TIMEZONE))
    else:
        raise click.UsageError(
            "a worker tells of orders only; for a buyer's day give --from DIR, which replay has written, "
            "or the event files (--chat, --orders, --roster, --settings)."
        )
    return explain_day(known, zone=timezone, language=lang), not problems_of(known)


def _told_order(
    source: _Source, shop: str, order: str, profile: str, timezone: str | None, lang: str, patience_s: float
) -> tuple[list[str], bool]:
    """Return the lines that tell an order, and whether the receipt of its last decision supports it."""
    if source.asked is not None:
        history = _judged(source.asked, shop, order, profile)
        timezone = timezone or shop_of(source.asked.inputs, shop).zone.name
    elif source.directory is not None:
        history = from_replay(source.directory, shop, order, profile)
    elif profile != OFFICIAL:
        raise click.UsageError(
            "a worker tells the official profile only; --profile needs --from or event files."
        )
    else:
        history = [from_worker(source.url, source.token, shop, order, patience_s)]
    timezone = timezone or DEFAULT_TIMEZONE
    decisions = [found.decision for found in history]
    try:
        lines = explain(decisions[-1], history=decisions, zone=timezone, language=lang)
        return lines, not verify(decisions[-1])
    except NO_DECISION as error:
        raise UnusableError(_no_decision(history, timezone, error)) from error


def _judged(asked: Asked, shop: str, order: str, profile: str) -> list[Found]:
    """All revisions of the order under the profile, as the events give them."""
    decisions = decisions_from_events(asked, shop, order, profile)
    if not decisions:
        raise UnusableError(
            f"the files give no decision on order {order} of shop {shop} under profile {profile}"
        )
    return [Found("the files", decision) for decision in decisions]


def _no_decision(history: list[Found], timezone: str, error: Exception) -> str:
    """Say which of them cannot be told, and why."""
    for found in history:
        try:
            explain(found.decision, history=[found.decision] * 2, zone=timezone)
            verify(found.decision)
        except NO_DECISION as own:
            return f"{found.place}: no decision: {own!r}"
    return f"{history[-1].place}: no decision: {error!r}"
