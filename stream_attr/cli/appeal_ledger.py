"""What ``stream-attr appeal`` and ``rule`` share: the ledger, whom to credit, and where rulings go."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from stream_attr.cli.database import Where, ledger_module
from stream_attr.cli.params import broker_option, topic_prefix_option
from stream_attr.cli.secured import security_options
from stream_attr.kafka.security import Security
from stream_attr.kafka.writer import TopicWriter

__all__ = ["NOBODY", "agent_of", "opened", "writer_options"]

NOBODY: Final = "nobody"
_Command = TypeVar("_Command", bound=Callable[..., Any])


@contextmanager
def opened(where: Where) -> Iterator[Any]:
    """Open the ledger; each transaction is the block's own.

    Raises UnusableError where there is none, or it is of another version.
    """
    require_schema = ledger_module("database.schema").require_schema
    with (
        ledger_module("database.connect").Database(*where, create=False) as database,
        database.connection(autocommit=True, application="stream-attr appeal") as connection,
    ):
        require_schema(connection)
        yield connection


def agent_of(text: str) -> str | None:
    """Return an agent's id; None: nobody."""
    return None if text == NOBODY else text


def writer_options(command: _Command) -> _Command:
    """Add ``--broker`` and how it is reached, given to the command as one ``writer``."""

    @functools.wraps(command)
    def with_writer(
        *arguments: Any, broker: str, topic_prefix: str, security: Security, **others: Any
    ) -> Any:
        return command(*arguments, writer=TopicWriter(broker, security, topic_prefix), **others)

    return broker_option(topic_prefix_option(security_options(with_writer)))  # type: ignore[return-value]
