"""Modules whose libraries are an optional extra: a command imports them when it runs."""

from __future__ import annotations

import importlib
from types import ModuleType

from stream_attr.errors import UnusableError

__all__ = ["optional_module"]


def optional_module(name: str, extra: str, what: str) -> ModuleType:
    """Import a module of ``stream_attr``.

    ``extra``: of its libraries, as pip takes it. ``what``: needs them, for the message.

    Raises:
        UnusableError: they are not installed.
    """
    try:
        return importlib.import_module(f"stream_attr.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("stream_attr"):
            raise
        raise UnusableError(
            f"{what} needs the library {error.name}: pip install 'stream-attr[{extra}]'"
        ) from error
