"""``stream-attr explain``: one order's receipt in words, from a worker or from what a replay wrote."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import click
import orjson

from stream_attr.cli.exits import Unusable
from stream_attr.core.days import zone
from stream_attr.processor.records import COMPARISONS, DECISIONS
from stream_attr.replay.explain import explain
from stream_attr.replay.receipt import Decision, verify
from stream_attr.replay.words import LANGUAGES

__all__ = ["command"]

OFFICIAL = "official"
WORKER_TIMEOUT_S = 10.0


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> str:
    try:
        return zone(name).name
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(name="explain")
@click.argument("shop")
@click.argument("order")
@click.option("--url", metavar="URL", help="Web address of any worker.  [default: http://127.0.0.1:6066]")
@click.option(
    "--from",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
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
    shop: str, order: str, url: str | None, directory: Path | None, profile: str, timezone: str, lang: str
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
        history = [_from_worker(url or "http://127.0.0.1:6066", shop, order)]
    try:
        lines = explain(history[-1], history=history, zone=timezone, language=lang)
        problems = verify(history[-1])
    except (KeyError, TypeError) as error:
        raise Unusable(f"what was found of order {order} is no decision: {error!r}") from error
    for line in lines:
        click.echo(line)
    if problems:
        sys.exit(1)


def _from_replay(directory: Path, shop: str, order: str, profile: str) -> list[Decision]:
    """All revisions of the order under the profile, as replay emitted them."""
    path = directory / f"{DECISIONS if profile == OFFICIAL else COMPARISONS}.jsonl"
    found: list[Decision] = []
    needle = json.dumps(order, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if needle not in line:
                    continue
                try:
                    decision = orjson.loads(line)
                    whose = decision["shop_id"], decision["order_id"], decision["profile"]
                except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                    raise Unusable(f"{path}, line {number}: no decision: {error!r}") from error
                if whose == (shop, order, profile):
                    found.append(decision)
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise Unusable(f"{path} has no decision on order {order} of shop {shop} under profile {profile}")
    return found


def _from_worker(url: str, shop: str, order: str) -> Decision:
    address = f"{url.rstrip('/')}/orders/{quote(shop, safe='')}/{quote(order, safe='')}"
    try:
        with urllib.request.urlopen(address, timeout=WORKER_TIMEOUT_S) as answer:
            decision: Decision = orjson.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            raise Unusable(f"no worker knows order {order} of shop {shop}") from error
        raise Unusable(f"{address} answered {error.code} {error.reason}") from error
    except ValueError as error:
        raise Unusable(f"{address} did not answer with JSON: {error}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise Unusable(f"no worker answers at {url}: {reason}") from error
    return decision
