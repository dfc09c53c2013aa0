"""Options and parameter types of several commands: times, durations, addresses, folders."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from stream_attr.kafka.address import (
    BROKER_VARIABLE,
    DEFAULT_BOOTSTRAP,
    PREFIX_VARIABLE,
    checked_bootstrap,
    checked_prefix,
)
from stream_attr.kafka.sender import DELIVERY_TIMEOUT_MS
from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS

__all__ = [
    "BROKER",
    "DURATION",
    "EXISTING_FOLDER",
    "FOLDER",
    "PORT",
    "SESSION",
    "SPEED",
    "TIME",
    "TOPIC_PREFIX",
    "WEB_URL",
    "FilesCommand",
    "accept_future_option",
    "broker_option",
    "delivery_timeout_option",
    "retention_options",
    "topic_prefix_option",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TS_DIGITS = 13

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION_DIGITS = 18


class _Time(click.ParamType):
    """RFC 3339 with an offset, or epoch milliseconds; the value is epoch milliseconds, UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if re.fullmatch(r"\d+", value, re.ASCII):
            if len(value) <= _TS_DIGITS and EARLIEST_TS <= (ts := int(value)) < LATEST_TS:
                return ts
            self.fail(f"{value!r} is not epoch milliseconds of the years 2000 to 2099.", param, ctx)
        if not _RFC_3339.fullmatch(value):
            self.fail(
                f"{value!r} is neither RFC 3339 with an offset, like 2026-11-01T00:00:00+08:00, "
                "nor epoch milliseconds.",
                param,
                ctx,
            )
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            self.fail(f"{value!r} is not a valid time: {error}.", param, ctx)
        ts = (moment - _EPOCH) // timedelta(milliseconds=1)
        if not EARLIEST_TS <= ts < LATEST_TS:
            self.fail(f"{value!r} is not in the years 2000 to 2099 (UTC).", param, ctx)
        return ts


class _Duration(click.ParamType):
    """A number and a unit out of ms, s, m, h, d; the value is in milliseconds."""

    name = "duration"

    def __init__(self, least: str, most: str) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not a duration like 90s, 5m, 36h or 60d.", param, ctx)
        ms = _ms(value) if len(match[1]) <= _DURATION_DIGITS else math.inf
        if not _ms(self._least) <= ms <= _ms(self._most):
            self.fail(f"{value!r} is not in the range {self._least} to {self._most}.", param, ctx)
        return int(ms)


def _ms(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    assert match is not None
    return int(match[1]) * _UNIT_MS[match[2]]


class _Checked(click.ParamType):
    """A string that a function validates (it raises ValueError) and may normalise."""

    def __init__(self, name: str, check: Callable[[str], str]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._check(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def _checked_url(text: str) -> str:
    if "@" in text:  # not quoted: what stands before it may be a password
        raise ValueError(
            "it has an @: a web address is given without user and password, see --web-token-file"
        )
    try:
        url = urlsplit(text)
        complete = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:  # for example a port that is not a number
        complete = False
    if not complete or not text.isprintable() or " " in text or url.query or url.fragment:
        raise ValueError(f"{text!r} is not a web address like http://127.0.0.1:6066")
    return text


class _Speed(click.FloatRange):
    """A finite factor above 0."""

    def __init__(self) -> None:
        super().__init__(0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        speed = super().convert(value, param, ctx)
        if not math.isfinite(speed):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return speed


class _Folder(click.Path):
    """A folder; an empty name does not mean the current one."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty; '.' is the current folder.", param, ctx)
        return super().convert(value, param, ctx)


TIME = _Time()
DURATION = _Duration("0s", "36525d")
"""Up to the hundred years that timestamps may lie in."""
SESSION = _Duration("1s", "30m")
"""Up to Kafka's default ``group.max.session.timeout.ms``."""
PAUSE = _Duration("1s", "1d")
"""Between two times of what is done again and again."""
PORT = click.IntRange(1, 65535)
SPEED = _Speed()
BROKER = _Checked("broker", checked_bootstrap)
TOPIC_PREFIX = _Checked("prefix", checked_prefix)
WEB_URL = _Checked("url", _checked_url)
FOLDER = _Folder()
EXISTING_FOLDER = _Folder(exists=True)


def accept_future_option(command: _Command) -> _Command:
    """Add ``--accept-future``."""
    return click.option(
        "--accept-future",
        is_flag=True,
        help="Take events and ticks that lie more than 10 minutes ahead of the wall clock: simulated data.",
    )(command)


def broker_option(command: _Command) -> _Command:
    """``--broker``, else ``STREAM_ATTR_BROKER`` of the environment, else this machine's usual port."""
    return click.option(
        "--broker",
        metavar="HOST:PORT,…",
        type=BROKER,
        envvar=BROKER_VARIABLE,
        default=DEFAULT_BOOTSTRAP,
        show_default=True,
        show_envvar=True,
        help="Bootstrap servers.",
    )(command)


def delivery_timeout_option(command: _Command) -> _Command:
    """Add ``--delivery-timeout``, in milliseconds."""
    return click.option(
        "--delivery-timeout",
        metavar="DURATION",
        type=_Duration("1s", "1d"),
        default=f"{DELIVERY_TIMEOUT_MS // 60_000}m",
        show_default=True,
        help="How long a record may wait for the broker's acknowledgement before the command gives up.",
    )(command)


def retention_options(command: _Command) -> _Command:
    """Add ``--history-days`` and ``--order-retention-days``, in days."""
    history = click.option(
        "--history-days",
        type=click.IntRange(33, 400),
        default=35,
        show_default=True,
        help="Days that chat is kept behind the watermark; older events are too_late.",
    )
    orders = click.option(
        "--order-retention-days",
        type=click.IntRange(1, 400),
        default=45,
        show_default=True,
        help="Days that orders are kept after their last event (at least after_sales_days + 2).",
    )
    return history(orders(command))


def topic_prefix_option(command: _Command) -> _Command:
    """``--topic-prefix``: several installations on one broker."""
    return click.option(
        "--topic-prefix",
        metavar="PREFIX",
        type=TOPIC_PREFIX,
        envvar=PREFIX_VARIABLE,
        default="",
        show_envvar=True,
        help="Prefix of every topic name, for several installations on one broker.  [default: none]",
    )(command)


class FilesCommand(click.Command):
    """A command whose repeatable options take several values at once: ``--chat a.jsonl b.jsonl``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        repeatable = {
            name
            for param in self.params
            if isinstance(param, click.Option) and param.multiple
            for name in param.opts
        }
        spread: list[str] = []
        option = None
        taken = 0
        for arg in args:
            if arg.startswith("-") and arg != "-":
                option = arg if arg in repeatable else None
                taken = 0
            elif option is not None:
                if taken:
                    spread.append(option)
                taken += 1
            spread.append(arg)
        return super().parse_args(ctx, spread)
