"""Money and times of any value and form are exact; any rows are events or a clear answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.contract.topics import CHAT
from stream_attr.errors import StreamAttrError
from stream_attr.importing.column_map import read_map
from stream_attr.importing.reading import ImportOptions
from stream_attr.importing.refused import Account
from stream_attr.importing.run import imported
from stream_attr.importing.source import source_of
from tests.importing.files import CHATS, ORDERS, Result, column_map, csv_file, imported_from, json_lines

HEAD = "订单号,买家,下单,付款,金额"
MOST = 10**14
"""Minor units: a sheet's amounts of 10^15 and more of the major unit are no amounts."""


def orders(rows: list[str], more: str = "", zone: str = "UTC") -> Result:
    with TemporaryDirectory() as folder:
        file = csv_file(Path(folder) / "o.csv", HEAD, *rows)
        return imported_from([file], column_map(Path(folder), more + ORDERS), zone=zone)


def major(minor: int, digits: int, form: str) -> str:
    """Write minor units as major ones, by integers alone."""
    whole, part = divmod(minor, 10**digits)
    text = f"{whole:,}" if form == "grouped" else str(whole)
    text += f".{part:0{digits}}" if digits else ""
    return {"grouped": f'"¥{text}"', "long": f"{text}{'' if digits else '.'}00", "yuan": f"{text}元"}.get(
        form, text
    )


FORMS = st.sampled_from(["plain", "grouped", "long", "yuan"])
CURRENCIES = st.sampled_from([("CNY", 2), ("JPY", 0), ("KWD", 3)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, MOST), FORMS), min_size=1, max_size=20), CURRENCIES)
def test_an_amount_is_exact_to_the_minor_unit(
    amounts: list[tuple[int, str]], currency: tuple[str, int]
) -> None:
    code, digits = currency
    rows = [
        f"o{n:03},b,2026-03-02 10:00,,{major(minor, digits, form)}" for n, (minor, form) in enumerate(amounts)
    ]
    found = orders(rows, f'currency = "{code}"\n')
    assert found.refused == []
    assert [one["amount"] for one in found.events] == [minor for minor, _ in amounts]
    assert {one["currency"] for one in found.events} == {code}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, MOST), st.integers(1, 9))
def test_a_part_of_a_minor_unit_is_refused_never_rounded(minor: int, part: int) -> None:
    found = orders([f"o,b,2026-03-02 10:00,,{major(minor, 2, 'plain')}{part}"])
    assert (found.events, found.codes) == ([], [(2, "bad_amount")])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, MAX_AMOUNT // 8), min_size=1, max_size=8))
def test_json_numbers_and_sub_orders_add_up_without_floats(minors: list[int]) -> None:
    """As literals in the file, which a float would round from 2^53 hundredths on."""
    begin = '{"订单号": "o", "买家": "b", "下单": "2026-03-02 10:00", "行": '
    rows = [f'{begin}{n}, "金额": {major(minor, 2, "plain")}}}' for n, minor in enumerate(minors)]
    with TemporaryDirectory() as folder:
        of_orders = column_map(Path(folder), f'{ORDERS}line = "行"\n')
        found = imported_from([json_lines(Path(folder) / "o.jsonl", *rows)], of_orders)
    assert found.refused == []
    assert [one["amount"] for one in found.events] == [sum(minors)]


ZONES = st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001 -- what a sheet shows
WRITTEN = st.sampled_from(
    ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
)


@settings(max_examples=80, deadline=None)
@given(TIMES, ZONES, WRITTEN)
def test_a_local_time_is_the_instant_at_which_its_clocks_show_it(
    shown: datetime, zone: str, form: str
) -> None:
    shown = shown.replace(microsecond=0)
    (event,) = orders([f"o,b,{shown.strftime(form)},,1"], zone=zone).events
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event["ts"])
    clocks = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if clocks != shown:  # the clocks jump over it: by an hour at most
        assert abs(clocks - shown) <= timedelta(hours=1)
        assert (
            shown.replace(tzinfo=ZoneInfo(zone))
            .astimezone(UTC)
            .astimezone(ZoneInfo(zone))
            .replace(tzinfo=None)
            != shown
        )


@settings(max_examples=40, deadline=None)
@given(TIMES, st.integers(-14 * 60, 14 * 60))
def test_a_time_with_an_offset_needs_no_zone(shown: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{shown:%Y-%m-%d %H:%M:%S}.{shown.microsecond // 1000:03}{sign}{hours:02}:{rest:02}"
    (event,) = orders([f"o,b,{text},,1"], zone="Asia/Tokyo").events
    expected = shown.replace(tzinfo=UTC) - timedelta(minutes=minutes) - datetime(1970, 1, 1, tzinfo=UTC)
    assert event["ts"] == expected // timedelta(milliseconds=1)


SPOILT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("", "2026-03-02", "1.23", "-1", "1.23E+18", "NaN", "合计", "9" * 200, "99999999999999999999"),
            *(
                "0001-01-01",
                "2600000000000000000",
                '="1"',
                "|",
                "1772416800000",
                "*",
                "-",
                "2026-03-02 10:00:00",
            ),
        ]
    ),
)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.dictionaries(st.integers(0, 6), SPOILT, max_size=2)), max_size=8
)
"""Which of some rows, and what is spoilt in it."""
END = st.one_of(st.just(b""), st.binary(max_size=40))


def row(of_chats: bool, number: int, spoilt: dict[int, str]) -> str:
    time = f"2026-03-02 10:0{number}:00"
    whole = [time, "b", "k", "买家", "hi"] if of_chats else [f"o-{number}", "b", time, time, "1.00"]
    cells = [spoilt.get(index, cell) for index, cell in enumerate(whole)]
    cells += [cell for index, cell in spoilt.items() if index >= len(whole)]
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


@settings(max_examples=120, deadline=None)
@given(ROWS, st.booleans(), END, st.sampled_from(["utf-8", "gb18030"]))
def test_any_rows_are_events_that_the_contract_takes_or_a_clear_answer(
    rows: list[tuple[int, dict[int, str]]], of_chats: bool, end: bytes, encoding: str
) -> None:
    head = "时间,买家,客服,方向,内容" if of_chats else HEAD
    lines = [head, *(row(of_chats, number, spoilt) for number, spoilt in rows)]
    with TemporaryDirectory() as folder:
        file, text = Path(folder) / "x.csv", Path(folder) / "map.toml"
        file.write_bytes("\n".join(lines).encode(encoding, "replace") + b"\n" + end)
        text.write_text(CHATS if of_chats else ORDERS, encoding="utf-8")
        refused: list[bytes] = []
        account = Account(refused.append)
        said = _decoded(file, text, account)
    if isinstance(said, str):
        assert str(file) in said
        return
    assert account.events.total() == len(said) == len(set(said))
    assert len(refused) == account.refused.total() <= account.rows
    if not end:  # nothing is lost
        (dropped,) = account.dropped.values()
        left_out = dropped.sums + dropped.heads + dropped.remarks
        assert account.rows + left_out <= len(rows)
        assert bool(said) or account.rows == len(refused)


def _decoded(file: Path, text: Path, account: Account) -> list[tuple[str, str]] | str:
    """The shops and ids of the events, which the contract takes; or what is said against the file."""
    try:
        events = list(imported([source_of(file, 0, [read_map(text)])], ImportOptions("s1"), account))
    except StreamAttrError as error:
        return str(error)
    decoded = [decode_chat(one) if topic == CHAT else decode_order(one) for topic, one in events]
    return [(one.shop_id, one.event_id) for one in decoded]


def test_the_fuzz_reaches_both_events_and_refusals(tmp_path: Path) -> None:
    lines = [HEAD, row(False, 1, {}), row(False, 2, {4: "-1"})]
    found = imported_from([csv_file(tmp_path / "o.csv", *lines)], column_map(tmp_path, ORDERS))
    assert (len(found.events), found.codes) == (2, [(3, "bad_amount")])
