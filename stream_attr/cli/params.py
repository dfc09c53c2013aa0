"""What several commands take alike: points in time, durations, the broker's address."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

__all__ = ["DURATION", "PORT", "TIME", "FilesCommand", "broker_option", "topic_prefix_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_TS = 946_684_800_000  # 2000-01-01, as for the events themselves (rulebook section 2)
_LATEST_TS = 4_102_444_800_000  # 2100-01-01

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class _Time(click.ParamType):
    """RFC 3339 with an offset, or epoch milliseconds; the value is epoch milliseconds, UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if re.fullmatch(r"\d+", value, re.ASCII):
            if _EARLIEST_TS <= (ts := int(value)) < _LATEST_TS:
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
            self.fail(f"{value!r} is no time: {error}.", param, ctx)
        ts = (moment - _EPOCH) // timedelta(milliseconds=1)
        if not _EARLIEST_TS <= ts < _LATEST_TS:
            self.fail(f"{value!r} is not in the years 2000 to 2099 (UTC).", param, ctx)
        return ts


class _Duration(click.ParamType):
    """A number and a unit out of ms, s, m, h, d; the value is in milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        said = _DURATION.fullmatch(value)
        if said is None:
            self.fail(f"{value!r} is no duration like 90s, 5m, 36h or 60d.", param, ctx)
        return int(said[1]) * _UNIT_MS[said[2]]


TIME = _Time()
DURATION = _Duration()
PORT = click.IntRange(1, 65535)


def broker_option(command: _Command) -> _Command:
    """``--broker``, else ``STREAM_ATTR_BROKER`` of the environment, else this machine's usual port."""
    return click.option(
        "--broker",
        metavar="HOST:PORT,…",
        envvar="STREAM_ATTR_BROKER",
        default="127.0.0.1:9092",
        show_default=True,
        show_envvar=True,
        help="Kafka brokers to ask first.",
    )(command)


def topic_prefix_option(command: _Command) -> _Command:
    """``--topic-prefix``: several installations on one broker."""
    return click.option(
        "--topic-prefix",
        metavar="PREFIX",
        envvar="STREAM_ATTR_TOPIC_PREFIX",
        default="",
        show_envvar=True,
        help="Put before the name of every topic.",
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
