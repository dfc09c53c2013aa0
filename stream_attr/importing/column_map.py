"""Column maps: which column of an export says what. From TOML or JSON files, and those that are built in."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
import orjson

from stream_attr.codec.decoding import check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.currency import minor_digits
from stream_attr.errors import UnusableError
from stream_attr.importing.fields import FIELDS, WORDS, Kind, Of
from stream_attr.rules.shop.days import Zone
from stream_attr.sheets.exports import EXPORTS, Export

__all__ = ["BUILT_IN", "NO_PLATFORM", "ColumnMap", "MapError", "read_map"]

CHINA: Final = "Asia/Shanghai"
NO_PLATFORM: Final = "import"
"""Of a map that names none."""


class MapError(UnusableError):
    """A column map cannot be used; the message names its file and field."""


class ColumnMap(NamedTuple):
    """Which column of an export says what."""

    name: str
    """Its file, or the name of a known export."""
    of: Of
    platform: str
    """With what event ids begin: the adapter's name where there is one, so that both give the same ids."""
    columns: Mapping[str, tuple[str, ...]]
    """By field the heads that can say it: of several that are there the first."""
    marks: tuple[str, ...]
    """Heads that all have to be there."""
    zone: str | None = None
    """IANA zone of times that do not say theirs; None: it has to be stated."""
    currency: str = "CNY"
    is_minor: bool = False
    """Whether amounts are in minor units (fen); else in major ones (yuan)."""
    epoch: Mapping[str, int] = {}
    """Of fields whose times are numbers since 1970: how many milliseconds their unit is."""
    words: Mapping[str, Mapping[str, str]] = WORDS
    """By field and their word, casefolded, ours."""
    sheet: str | None = None
    """The sheet that is meant, of a workbook; None: any."""

    def needs(self, row: int) -> tuple[str, ...]:
        """Return the heads that have to be there; in JSON lines, whose head is in row 0, others may lack."""
        if row:
            return self.marks
        return tuple(self.columns[name][0] for name in _KEYS[self.of])


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A map as it is written."""

    of: Literal["chats", "orders"] | None = None
    base: str | None = None
    sheet: str | None = None
    platform: str | None = None
    zone: str | None = None
    currency: str | None = None
    amounts: Literal["major", "minor"] | None = None
    columns: dict[str, Any] = {}
    epoch: dict[str, Any] = {}
    words: dict[str, Any] = {}


_decoder: Final = msgspec.json.Decoder(_File)
_UNITS: Final = {"s": 1000, "ms": 1}
_KEYS: Final[Mapping[Of, tuple[str, ...]]] = {"chats": ("time", "buyer", "agent"), "orders": ("order",)}
"""Fields without whose columns nothing can be read."""

_PLATFORMS: Final = {"taobao_suborders": "taobao", "douyin_orders": "doudian", "pdd_orders": "pinduoduo"}
"""By known export the adapter whose events have the same ids."""
_MORE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "taobao_suborders": {"quantity": ("购买数量",), "product": ("商品ID",)},
    "douyin_orders": {"quantity": ("商品数量",)},
    "pdd_orders": {"quantity": ("商品数量(件)",), "product": ("商品id",), "created": ("支付时间",)},
}
"""What an import takes beside what `stream_attr.sheets.exports` knows. Pinduoduo's sheet does not say when an
order was placed: the payment stands for it."""


def _built_in(export: Export) -> ColumnMap:
    fields = {**export.fields, **_MORE[export.name]}
    columns = {field: heads for field, heads in fields.items() if field in FIELDS["orders"]}
    return ColumnMap(export.name, "orders", _PLATFORMS[export.name], columns, export.marks, CHINA)


BUILT_IN: Final[Mapping[str, ColumnMap]] = {
    export.name: _built_in(export) for export in EXPORTS if export.is_of_orders
}
"""By name the maps of known exports of orders."""


def read_map(path: Path) -> ColumnMap:
    """Return the map of a file: TOML, or JSON where its name ends so.

    Raises:
        MapError: it cannot be read, or is wrong; the message names the field and the remedy.
    """
    try:
        text = path.read_bytes()
        if path.suffix.lower() != ".json":
            text = orjson.dumps(tomllib.loads(text.decode("utf-8-sig")))
        written = decode(_decoder.decode, text)
    except OSError as error:
        raise MapError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise MapError(f"{path}: it is no TOML in UTF-8: {error}") from error
    except RefusedRecord as refused:
        known = (
            f"; a map has {', '.join(_File.__struct_fields__)}" if "unknown field" in refused.message else ""
        )
        raise MapError(f"{path}: {refused.message}{known}") from refused
    return _checked(path, written)


def _checked(path: Path, written: _File) -> ColumnMap:
    base = None
    if written.base is not None:
        base = BUILT_IN.get(written.base)
        if base is None:
            raise MapError(f"{path}: base: there is no {written.base!r}; there are {', '.join(BUILT_IN)}")
    if written.of is None and base is None:
        raise MapError(f'{path}: of: say what the file holds: of = "chats" or of = "orders"')
    of = written.of or (base.of if base is not None else "orders")
    if base is not None and of != base.of:
        raise MapError(f"{path}: of: {written.base} is of {base.of}, not of {of}")
    own = {name: _head(path, of, name, head) for name, head in written.columns.items()}
    known = {} if base is None else dict(base.columns)
    marks = (*(base.marks if base is not None else ()), *(head for head in own.values()))
    columns = {**known, **{name: (head,) for name, head in own.items()}}
    _check_enough(path, of, columns)
    defaults = base or ColumnMap("", of, NO_PLATFORM, {}, ())
    return ColumnMap(
        str(path),
        of,
        defaults.platform if written.platform is None else _platform(path, written.platform),
        columns,
        tuple(dict.fromkeys(marks)),
        defaults.zone if written.zone is None else _zone(path, written.zone),
        defaults.currency if written.currency is None else _currency(path, written.currency),
        written.amounts == "minor",
        {name: _unit(path, columns, of, name, unit) for name, unit in written.epoch.items()},
        {**WORDS, **{name: _words(path, of, name, words) for name, words in written.words.items()}},
        written.sheet,
    )


def _head(path: Path, of: Of, name: str, head: object) -> str:
    if name not in FIELDS[of]:
        raise MapError(f"{path}: columns.{name}: {_no_field(of, name, FIELDS[of])}")
    if not isinstance(head, str) or not head.strip():
        raise MapError(f"{path}: columns.{name}: write the head of one column as text")
    return head.strip()


def _no_field(of: Of, name: str, among: Iterable[str]) -> str:
    """Return that something is no field, and which ones there are."""
    known = list(among)
    near = difflib.get_close_matches(name, known, 1)
    meant = f" (do you mean {near[0]}?)" if near else ""
    return f"there is no such field of {of}{meant}; there are {', '.join(known)}"


def _check_enough(path: Path, of: Of, columns: Mapping[str, object]) -> None:
    missing = [name for name in _KEYS[of] if name not in columns]
    if missing:
        raise MapError(f"{path}: columns: say which column is {', '.join(missing)}")
    if of == "chats" and not {"sender", "speaker", "to_agent", "score"} & columns.keys():
        raise MapError(f"{path}: columns: say which column tells who wrote: sender, or speaker")
    if of == "orders" and len(columns) == 1:
        raise MapError(f"{path}: columns: beside the order nothing is read; name another column")
    if {"sender", "speaker"} <= columns.keys():
        raise MapError(f"{path}: columns: sender and speaker both say who wrote: name one")
    if "refunded" in columns and "refund" not in columns:
        raise MapError(f"{path}: columns.refunded: it is the time of a refund: name the column of refund too")


def _platform(path: Path, platform: str) -> str:
    try:
        check_id(platform, "platform")
    except RefusedRecord as refused:
        raise MapError(f"{path}: {refused.message}") from refused
    if not platform or len(platform) > 32 or ":" in platform:
        raise MapError(f"{path}: platform: at most 32 characters without a colon, such as taobao")
    return platform


def _zone(path: Path, zone: str) -> str:
    try:
        Zone(zone)
    except ValueError as error:
        raise MapError(f"{path}: zone: {error}") from error
    return zone


def _currency(path: Path, currency: str) -> str:
    if minor_digits(currency) is None:
        raise MapError(f"{path}: currency: {currency!r} is no ISO 4217 code with a minor unit, such as CNY")
    return currency


def _unit(path: Path, columns: Mapping[str, object], of: Of, name: str, unit: object) -> int:
    times = [field for field in columns if FIELDS[of][field].kind is Kind.TIME]
    if name not in times:
        raise MapError(f"{path}: epoch.{name}: {_no_field(of, name, times)}")
    if not isinstance(unit, str) or unit not in _UNITS:
        raise MapError(f'{path}: epoch.{name}: write "s" or "ms", the unit since 1970')
    return _UNITS[unit]


def _words(path: Path, of: Of, name: str, words: object) -> Mapping[str, str]:
    """Return by their word ours: what the map says, and what is understood anyway."""
    fields = [field for field in WORDS if field in FIELDS[of]]
    if name not in fields:
        raise MapError(f"{path}: words.{name}: {_no_field(of, name, fields)}")
    ours = set(WORDS[name].values())
    if not isinstance(words, dict):
        raise MapError(f"{path}: words.{name}: write it as a table of lists")
    found: dict[str, str] = {}
    for word, theirs in words.items():
        if word not in ours:
            raise MapError(f"{path}: words.{name}.{word}: {name} is one of {', '.join(sorted(ours))}")
        if not isinstance(theirs, list) or not all(isinstance(one, str) and one.strip() for one in theirs):
            raise MapError(f'{path}: words.{name}.{word}: write a list of their words, as ["1", "客服"]')
        for one in theirs:
            if found.setdefault(one.strip().casefold(), word) != word:
                raise MapError(
                    f"{path}: words.{name}.{word}: {one!r} is {found[one.strip().casefold()]} already"
                )
    return {**WORDS[name], **found}
