"""Column maps: what is wrong in one is said with its file, its field and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.importing.column_map import BUILT_IN, MapError, read_map
from tests.importing.files import CHATS, ORDERS, column_map


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml = column_map(tmp_path, 'of = "orders"\n[columns]\norder = "号"\nbuyer = "人"\n[epoch]\n')
    json = column_map(tmp_path, '{"of": "orders", "columns": {"order": "号", "buyer": "人"}}', "map.json")
    assert toml._replace(name="") == json._replace(name="")


def test_a_base_gives_what_a_map_does_not_say(tmp_path: Path) -> None:
    one = column_map(tmp_path, 'base = "taobao_suborders"\n[columns]\nbuyer = "买家会员名"\n')
    base = BUILT_IN["taobao_suborders"]
    assert one.columns == {**base.columns, "buyer": ("买家会员名",)}
    assert (one.of, one.platform, one.zone) == ("orders", "taobao", "Asia/Shanghai")
    assert one.marks == (*base.marks, "买家会员名")


WRONG = {
    'columns = "x"\nof = "orders"': "`columns`: Expected `object`, got `str`",
    'off = "orders"': "unknown field `off`; a map has of, base, sheet, platform, zone, currency",
    'of = "order"': "`of`: Invalid enum value 'order'",
    "[columns]\norder = 'a'": "of: say what the file holds",
    'base = "taobao"': "base: there is no 'taobao'; there are taobao_suborders, douyin_orders, pdd_orders",
    'base = "pdd_orders"\nof = "chats"': "of: pdd_orders is of orders, not of chats",
    'of = "orders"\n[columns]\nbuyr = "a"': "columns.buyr: there is no such field of orders (do you",
    'of = "orders"\n[columns]\norder = 3': "columns.order: write the head of one column as text",
    'of = "orders"\n[columns]\norder = " "': "columns.order: write the head of one column as text",
    'of = "orders"\n[columns]\nbuyer = "a"': "columns: say which column is order",
    'of = "orders"\n[columns]\norder = "a"': "columns: beside the order nothing is read",
    'of = "orders"\n[columns]\norder = "a"\nrefunded = "b"': "columns.refunded: it is the time of a refund",
    'of = "chats"\n[columns]\ntime = "a"': "columns: say which column is buyer, agent",
    'of = "chats"\n[columns]\ntime = "a"\nbuyer = "b"\nagent = "c"': "columns: say which column tells who",
    f'{CHATS}speaker = "d"': "columns: sender and speaker both say who wrote",
    f'platform = "a:b"\n{CHATS}': "platform: at most 32 characters without a colon",
    f'platform = ""\n{CHATS}': "platform: at most 32 characters without a colon",
    f'platform = "a|b"\n{CHATS}': "`platform` has a `|`",
    f'currency = "YUAN"\n{ORDERS}': "currency: 'YUAN' is no ISO 4217 code",
    f'amounts = "fen"\n{ORDERS}': "`amounts`: Invalid enum value 'fen'",
    f'{ORDERS}[epoch]\npaidd = "s"': "epoch.paidd: there is no such field of orders (do you mean paid?)",
    f'{ORDERS}[epoch]\namount = "s"': "epoch.amount: there is no such field of orders",
    f'{ORDERS}[epoch]\npaid = "us"': 'epoch.paid: write "s" or "ms"',
    f"{CHATS}[words.text]\na = []": "words.text: there is no such field of chats",
    f"{CHATS}[words.sender]\nbot = ['x']": "words.sender.bot: sender is one of agent, buyer, robot, system",
    f"{CHATS}[words.sender]\nbuyer = 'x'": "words.sender.buyer: write a list of their words",
    f"{CHATS}[words]\nsender = 'x'": "words.sender: write it as a table of lists",
    f"{CHATS}[words.sender]\nbuyer = ['x']\nagent = ['X']": "words.sender.agent: 'X' is buyer already",
    "of = ": "it is no TOML in UTF-8",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=[said[:40] for said in WRONG.values()])
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MapError) as error:
        column_map(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'map.toml'}: ")
    assert said in str(error.value)


def test_a_zone_is_one_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="zone: 'Asia/Peking' is not an IANA time zone"):
        column_map(tmp_path, ORDERS.replace("Asia/Shanghai", "Asia/Peking"))


@pytest.mark.parametrize("data", [b"\xff\xfe", b"{", b"[]"])
def test_one_that_is_no_map_names_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.json").write_bytes(data)
    with pytest.raises(MapError, match=r"m\.json: "):
        read_map(tmp_path / "m.json")
    with pytest.raises(MapError, match=r"none\.toml: No such file"):
        read_map(tmp_path / "none.toml")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["s", "buyer"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["of", "base", "sheet", "platform", "zone", "currency", "amounts", "columns", "epoch", "words", "other"]
)
WHOLE = {
    "of": "chats",
    "columns": {"time": "a", "buyer": "b", "agent": "c", "sender": "d"},
    "epoch": {"time": "s"},
    "words": {"sender": {"buyer": ["x"]}},
}


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.dictionaries(st.sampled_from(list(WHOLE)), VALUES, max_size=2),
)
def test_anything_is_a_map_or_a_sentence_with_the_file(top: dict[str, Any], inner: dict[str, Any]) -> None:
    document = {**WHOLE, **top}
    for name, value in inner.items():
        if isinstance(document[name], dict):
            document[name] = {**document[name], "sender": value}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        said = ""
        try:
            read_map(path)
        except MapError as error:
            said = str(error)
        assert said == "" or said.startswith(f"{path}: ")
