"""Lone surrogates in JSON: what is left of an emoji that was cut, such as ``"\\ud83d"`` (RULEBOOK 11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import orjson

from stream_attr.codec.refusal import RefusedRecord
from stream_attr.rules.vocabulary import Code

REPLACEMENT: Final = rb"\ufffd"
"""Stands for a lone surrogate in a text. As long as one, so that places in error messages stay right."""
_FORBIDDEN_IN_IDS: Final = rb"\u0000"
"""Stands for one while identifiers are checked: no identifier may have a control character."""
_MARK: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    rb"\\(?:"
    rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)",
    re.DOTALL,
)

_T = TypeVar("_T")


def mended(value: bytes, by: bytes = REPLACEMENT) -> bytes | None:
    """Return JSON with ``by`` in place of each escaped lone surrogate; None: it has none."""
    if not _MARK.search(value):
        return None
    changed = _ESCAPE.sub(lambda found: by if found["lone"] else found[0], value)
    return None if changed == value else changed


def loads(value: bytes) -> Any:
    """Return JSON as Python objects, with U+FFFD for escaped lone surrogates.

    Raises:
        orjson.JSONDecodeError: it is not JSON.
    """
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        whole = mended(value)
        if whole is None:
            raise
        return orjson.loads(whole)


class LoneSurrogatesError(RefusedRecord):
    """A record has escaped lone surrogates, which the JSON decoder refuses; `read_by` reads it."""

    def __init__(self, value: bytes) -> None:
        super().__init__(Code.NOT_JSON, "not JSON in UTF-8: it has an escaped lone surrogate")
        self._value = value

    def read_by(self, decode: Callable[[bytes], _T]) -> _T:
        """Return what ``decode`` makes of the record with U+FFFD in place of each lone surrogate.

        Raises:
            RefusedRecord: an identifier has one, or the record cannot be used for another reason.
        """
        decode(mended(self._value, _FORBIDDEN_IN_IDS) or self._value)
        return decode(mended(self._value) or self._value)
