"""``stream-attr explain``: one order's receipt in words, from a worker or from what a replay wrote."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import click
import orjson

from stream_attr.cli.exits import Unusable
from stream_attr.cli.params import DURATION, EXISTING_FOLDER, WEB_URL
from stream_attr.core.days import zone
from stream_attr.processor.records import COMPARISONS, DECISIONS
from stream_attr.replay.explain import explain
from stream_attr.replay.receipt import Decision, verify
from stream_attr.replay.words import LANGUAGES

__all__ = ["command"]

OFFICIAL = "official"
DEFAULT_URL = "http://127.0.0.1:6066"
WORKER_TIMEOUT_S = 10.0
ASK_AGAIN_S = 0.2
NO_DECISION = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What goes wrong when something else than a decision is to be told."""


class _Found(NamedTuple):
    """A decision, or what passes for one, and where it was found."""

    place: str
    decision: Decision


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> str:
    try:
        return zone(name).name
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(name="explain")
@click.argument("shop")
@click.argument("order")
@click.option(
    "--url", metavar="URL", type=WEB_URL, help=f"Web address of any worker.  [default: {DEFAULT_URL}]"
)
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
@click.option("--profile", default=OFFICIAL, show_default=True, help="Another profile (with --from only).")
@click.option(
    "--timezone",
    metavar="NAME",
    default="Asia/Shanghai",
    show_default=True,
    callback=_zone,
    help="Time zone to tell times in: the shop's.",
)
@click.option("--lang", type=click.Choice(sorted(LANGUAGES)), default="en", show_default=True)
def command(
    shop: str,
    order: str,
    url: str | None,
    wait: int,
    directory: Path | None,
    profile: str,
    timezone: str,
    lang: str,
) -> None:
    """Tell in words how ORDER of SHOP was judged: who had which figures, which rule decided, what did not
    count, and whether it can still change.

    Checks the verdict against its receipt; ends with status 1 where the receipt does not support it.
    """
    if directory is not None:
        if url is not None:
            raise click.UsageError("give --url or --from, not both.")
        history = _from_replay(directory, shop, order, profile)
    else:
        if profile != OFFICIAL:
            raise click.UsageError("a worker tells the official profile only; --profile needs --from.")
        history = [_from_worker(url or DEFAULT_URL, shop, order, wait / 1000)]
    decisions = [found.decision for found in history]
    try:
        lines = explain(decisions[-1], history=decisions, zone=timezone, language=lang)
        problems = verify(decisions[-1])
    except NO_DECISION as error:
        raise Unusable(_no_decision(history, timezone, error)) from error
    for line in lines:
        click.echo(line)
    if problems:
        sys.exit(1)


def _no_decision(history: list[_Found], timezone: str, error: Exception) -> str:
    """Say which of them cannot be told, and why."""
    for found in history:
        try:
            explain(found.decision, history=[found.decision] * 2, zone=timezone)
            verify(found.decision)
        except NO_DECISION as own:
            return f"{found.place}: no decision: {own!r}"
    return f"{history[-1].place}: no decision: {error!r}"


def _from_replay(directory: Path, shop: str, order: str, profile: str) -> list[_Found]:
    """All revisions of the order under the profile, as replay emitted them."""
    path = directory / f"{DECISIONS if profile == OFFICIAL else COMPARISONS}.jsonl"
    found: list[_Found] = []
    needle = json.dumps(order, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if needle not in line:
                    continue
                place = f"{path}, line {number}"
                try:
                    decision = orjson.loads(line)
                    whose = decision["shop_id"], decision["order_id"], decision["profile"]
                except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                    raise Unusable(f"{place}: no decision: {error!r}") from error
                if whose == (shop, order, profile):
                    found.append(_Found(place, decision))
    except FileNotFoundError as error:
        raise Unusable(
            f"{path} is not there: run 'stream-attr replay --out {directory} …' first, which writes it"
        ) from error
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise Unusable(f"{path} has no decision on order {order} of shop {shop} under profile {profile}")
    return found


def _from_worker(url: str, shop: str, order: str, patience_s: float) -> _Found:
    """The last official decision; an order that is not known is asked for again for so many seconds."""
    address = f"{url.rstrip('/')}/orders/{quote(shop, safe='')}/{quote(order, safe='')}"
    deadline = time.monotonic() + patience_s
    while (answer := _ask(address, url)) is None:
        if time.monotonic() >= deadline:
            raise Unusable(
                f"no worker knows order {order} of shop {shop}: not judged yet, or refused (see dead-letters)"
            )
        time.sleep(ASK_AGAIN_S)
    try:
        return _Found(address, orjson.loads(answer))
    except orjson.JSONDecodeError as error:
        raise Unusable(f"{address} did not answer with JSON: {error}") from error


def _ask(address: str, url: str) -> bytes | None:
    """Return the answer, None for not found."""
    try:
        with urllib.request.urlopen(address, timeout=WORKER_TIMEOUT_S) as response:
            answer: bytes = response.read()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return None
        raise Unusable(f"{address} answered {error.code} {error.reason}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise Unusable(f"no worker answers at {url}: {reason}; is that its --web-port?") from error
    except HTTPException as error:
        raise Unusable(f"what answers at {url} is no web server: {error!r}") from error
    return answer
