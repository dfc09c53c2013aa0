"""What decoders, pay schemes, the lab and sheets refuse is said in Chinese on a Chinese page."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.console.refusals import CHINESE, refusal
from stream_attr.errors import UnusableError
from stream_attr.ledger.figures import FIGURES
from stream_attr.pay.reading import read_scheme
from tests.ledger.pay.world import BASE, COMMISSION, scheme

ROOT = Path(__file__).parents[2] / "stream_attr"
MESSAGE_AT = {
    "RefusedRecord": 1,
    "wrong": 1,
    "UnusableError": 0,
    "StreamAttrError": 0,
    "SheetError": 0,
    "DamagedIdError": 0,
    "unusable": 0,
    "GoalError": 1,
    "PublishError": 0,
    "HTTPException": 1,
}
"""By what makes an error, which argument its sentence is."""
FILES = (
    *sorted(str(one.relative_to(ROOT)) for one in (ROOT / "console").rglob("*.py")),
    "codec/decoding.py",
    "codec/records/shop_settings.py",
    "codec/records/roster.py",
    "explain/roster_names.py",
    "kafka/writer.py",
    "lab/event_folder.py",
    "lab/judge.py",
    "lab/pay.py",
    "lab/rule_sets.py",
    "ledger/appeals/rulings.py",
    "ledger/asked.py",
    "ledger/formats/xlsx_book.py",
    "ledger/periods.py",
    *sorted(str(one.relative_to(ROOT)) for one in (ROOT / "ledger" / "pay").glob("*.py")),
    *sorted(str(one.relative_to(ROOT)) for one in (ROOT / "ledger" / "reports").rglob("*.py")),
    "pay/checks.py",
    "pay/figures.py",
    "pay/month.py",
    "pay/team.py",
    "pay/versions.py",
    "processor/shops.py",
    *sorted(str(one.relative_to(ROOT)) for one in (ROOT / "sheets").glob("*.py")),
)
"""Whose refusals a page can show."""
NOT_ON_A_PAGE = (
    "pay is for a month like 2026-11, not for {}",
    "`{}`: {}",
    "{}: {}",
    "{}: {}: {}",
    "{}: {}{}: {}",
    "{}: {} {}",
    "{} is no {}",
    "--figure {}: {}",
    "--order: {}",
    "{} {} is not https://…: who listens on the way could log in",
)
"""A page never asks so; and what consists of a place and another sentence."""
CHINESE_LETTER = re.compile("[\u4e00-\u9fff]")


def form_of(node):
    """A sentence with {} for what it names; None: it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return form_of(node.value) if isinstance(node, ast.Subscript) else None


def sentences(file):
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if not isinstance(node, ast.Call):
            continue
        maker = getattr(node.func, "id", getattr(node.func, "attr", None))
        if maker in MESSAGE_AT:
            at = MESSAGE_AT[maker]
            form = form_of(node.args[at]) if len(node.args) > at else None
            if form is not None and maker == "unusable":
                form = "{} " + form
            if form is not None and form not in NOT_ON_A_PAGE:
                yield form


@pytest.mark.parametrize("file", FILES)
def test_each_sentence_that_a_page_can_show_is_there_in_chinese(file):
    for form in sentences(file):
        shown = refusal(form.format(*["Q"] * form.count("{}")), "zh")
        assert CHINESE_LETTER.search(shown), form


def test_the_sentences_are_found():
    """So that the test before finds one that is missing: each maker's."""
    assert sum(len(set(sentences(file))) for file in FILES) > 100


@pytest.mark.parametrize("form", CHINESE)
def test_a_chinese_sentence_names_what_the_english_one_names(form):
    places = {int(one) for one in re.findall(r"\{(\d)\}", CHINESE[form])}
    assert places <= set(range(form.count("{}")))
    assert "{}" not in CHINESE[form]


SETTINGS = {"shop_id": "jd:1", "effective_from": "2026-11-01"}
REFUSED = [
    (decode_settings, {**SETTINGS, "validity": {"hours": 30, "natural_days": 1}}, "恰好填一个"),
    (decode_settings, {**SETTINGS, "preset": "no"}, "可选：`?jd_cloud"),
    (decode_settings, {**SETTINGS, "after_sales_days": "x"}, "应为 `int`，而不是 `str`"),
    (decode_settings, {**SETTINGS, "after_sales_days": 999}, "应为不大于 180 的 `int`"),
    (decode_settings, {**SETTINGS, "no_such_setting": 1}, "没有字段 `no_such_setting`"),
    (decode_settings, {"shop_id": "jd:1"}, "缺少必填字段 `effective_from`"),
    (decode_roster, {**SETTINGS, "agent_id": "*", "role": "presale"}, "它代表店铺合计"),
    (decode_roster, {**SETTINGS, "agent_id": "a", "role": "boss"}, "没有值 'boss'，可选：presale"),
]


@pytest.mark.parametrize(("decode", "document", "said"), REFUSED)
def test_a_record_that_is_refused_says_so_in_both_languages(decode, document, said):
    with pytest.raises(RefusedRecord) as refused:
        decode(json.dumps(document).encode())
    assert re.search(said, refusal(refused.value.message, "zh"))
    assert refusal(refused.value.message, "en") == refused.value.message


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (scheme(BASE, {**COMMISSION, "of": "sales.nothing"}), "不是可计薪的指标"),
        (scheme(BASE, {**COMMISSION, "mode": "marginal", "by": "sales.orders"}), "须为 whole"),
        (scheme({**BASE, "amount": "x"}), "应为整数，而不是文本"),
        (scheme({**BASE, "kind": "gift"}), "为 'gift'，可选：`fixed`"),
        (scheme({"kind": "fixed", "id": "base", "prorate": "days"}), "缺少此字段"),
        (scheme(BASE, BASE), "与 .* 相同：请换一个"),
    ],
)
def test_a_scheme_that_is_refused_says_so_in_both_languages(document, said):
    with pytest.raises(UnusableError) as refused:
        read_scheme(json.dumps(document).encode(), {key: str(one.kind) for key, one in FIGURES.items()})
    message = str(refused.value)
    assert re.search(said, refusal(message, "zh")), refusal(message, "zh")
    assert refusal(message, "en") == message


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("'9月' is no figure; there are sales.amount", "没有指标 '9月'；现有 sales.amount"),
        (
            "there is no agent 'x'; there are kf-1 Amy, kf-2 and 3 more",
            "没有客服 'x'；现有 kf-1 Amy, kf-2 等，另有 3 个",
        ),
        ("there is no group 'x'; the ledger knows no groups", "没有分组 'x'；账本中没有分组"),
        (
            "a.xlsx, sheet '订单', row 3, column '金额': 'x' is no amount like 1,234.50",
            "a.xlsx 工作表 '订单' 第 3 行 列 '金额'：'x' 不是如 1,234.50 的金额",
        ),
        (
            "a.csv, row 3, column '金额': '9' is no number: it is 10 or more",
            "a.csv 第 3 行 列 '金额'：'9' 不是数字：不小于 10",
        ),
        (
            "sales.orders: '1.5' is not a whole number: at most 0 digits behind the point",
            "sales.orders：'1.5' 不是整数：最多 0 位小数",
        ),
        (
            "--profile is missing to compare with official: there are a, b",
            "没有选择规则，无法与 official 对比：现有 a, b",
        ),
    ],
)
def test_a_sentence_of_parts_is_told_with_its_parts(message, said):
    assert refusal(message, "zh") == said


def test_what_is_not_known_is_shown_as_it_is():
    assert refusal("Something else went wrong!", "zh") == "Something else went wrong!"
