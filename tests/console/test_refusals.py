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
MESSAGE_AT = {"RefusedRecord": 1, "wrong": 1, "UnusableError": 0}
"""By what makes an error, which argument its sentence is."""
SAID = (
    "codec/decoding.py",
    "codec/records/shop_settings.py",
    "codec/records/roster.py",
    "processor/shops.py",
    "pay/checks.py",
    "pay/figures.py",
    "lab/rule_sets.py",
    "lab/pay.py",
    "ledger/asked.py",
    "ledger/periods.py",
    "ledger/pay/drafts.py",
    "ledger/reports/reconcile/sheet.py",
    "ledger/reports/reconcile/agents.py",
)
"""Whose refusals a page can show."""
NOT_ON_A_PAGE = ("pay is for a month like 2026-11, not for {}", "`{}`: {}")
"""A page never asks so; and what consists of a path and another sentence."""
ELSEWHERE = re.compile("[\u4e00-\u9fff]")


def form_of(node):
    """A sentence with {} for what it names; None: it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return form_of(node.value) if isinstance(node, ast.Subscript) else None


def sentences():
    for name in SAID:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MESSAGE_AT:
                at = MESSAGE_AT[node.func.id]
                form = form_of(node.args[at]) if len(node.args) > at else None
                if form is not None and form not in NOT_ON_A_PAGE:
                    yield name, form


@pytest.mark.parametrize(("file", "form"), sorted(set(sentences())), ids=str)
def test_each_sentence_that_a_page_can_show_is_there_in_chinese(file, form):
    shown = refusal(form.format(*["Q"] * form.count("{}")), "zh")
    assert ELSEWHERE.search(shown), file


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


def test_what_is_not_known_is_shown_as_it_is():
    assert refusal("Something else went wrong!", "zh") == "Something else went wrong!"
