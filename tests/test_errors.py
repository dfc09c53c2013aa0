"""Each exception of the package has the one root, and the worker's log shows their messages."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import stream_attr
from stream_attr.cli.exits import Failed
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.errors import StreamAttrError
from stream_attr.worker.ops.logs import WithoutValues

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(stream_attr.__path__, "stream_attr.")
    if not module.name.endswith("__main__")
]
EXCEPTIONS = sorted(
    {
        found
        for module in MODULES
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == module.__name__
    },
    key=lambda found: found.__qualname__,
)
SHOWN_BY_CLICK = (Failed,)
"""The command-line interface turns the root class into these."""


@pytest.mark.parametrize(
    "exception", [e for e in EXCEPTIONS if not issubclass(e, SHOWN_BY_CLICK)], ids=lambda e: e.__qualname__
)
def test_every_public_exception_has_the_root_class(exception):
    assert issubclass(exception, StreamAttrError) or exception.__name__.startswith("_")


@pytest.mark.parametrize(
    "exception",
    [
        e
        for e in EXCEPTIONS
        if issubclass(e, StreamAttrError)
        and e.__module__.startswith(("stream_attr.kafka", "stream_attr.files", "stream_attr.worker"))
    ],
    ids=lambda e: e.__qualname__,
)
def test_the_log_of_a_worker_shows_the_message_of_our_own_exceptions(exception):
    assert "a remedy" in WithoutValues().formatException((exception, exception("a remedy"), None))


def test_the_log_of_a_worker_never_quotes_a_refused_record():
    error = RefusedRecord.__new__(RefusedRecord)
    Exception.__init__(error, "what the record said")
    assert "what the record said" not in WithoutValues().formatException((RefusedRecord, error, None))
