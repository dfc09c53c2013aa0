"""What the tables of ``docs/reference`` and ``docs/metrics`` say is what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest

from stream_attr.cli import worker
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.console.metrics import ConsoleMetrics
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.pull_metrics import PullMetrics
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.rules.shop.settings import NEVER_FOLLOW_UP, PRESETS, Filters, Settings
from stream_attr.worker.ops.metrics import Metrics
from tests.docs.blocks import ROOT

pytestmark = pytest.mark.parametrize("language", [".md", ".zh-CN.md"])
CODE = re.compile(r"`([^`]+)`")


def tables(document):
    """All tables of a document, each a list of rows, each row a list of cells, the head first."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(r"^(\|.*\n\|[ |:-]+\n(?:\|.*\n)+)", text, flags=re.MULTILINE)
    return [
        [
            [cell.strip() for cell in row.strip("|").split("|")]
            for row in table.splitlines()
            if "---" not in row
        ]
        for table in found
    ]


def table_of(document, *first_names):
    """The rows of the table whose first cells name these, by the name in the first cell."""
    for table in tables(document):
        rows = {names[0]: row for row in table if (names := CODE.findall(row[0]))}
        if set(first_names) <= rows.keys():
            return rows
    raise AssertionError(f"no table of {first_names}")


def settings_of(**given):
    record = {"shop_id": "jd:1", "effective_from": "2026-01-01", **given}
    return decode_settings(json.dumps(record).encode())


def test_every_setting_is_there_with_its_default(language):
    rows = table_of(f"docs/reference/settings{language}", "timezone", "credit_rule")
    assert rows.keys() == {"timezone", "day_cut", *(field.name for field in fields(Settings))} - {"preset"}
    for name, row in rows.items():
        default = json.loads(CODE.findall(row[3])[0])
        given = settings_of(**{name: default})
        assert given.settings == PRESETS["jd_cloud"], name
        assert given.timezone in (None, "Asia/Shanghai")
        assert given.day_cut in (None, "00:00")


def test_every_word_that_a_setting_may_be_is_accepted(language):
    for name, row in table_of(f"docs/reference/settings{language}", "timezone", "credit_rule").items():
        if isinstance(json.loads(CODE.findall(row[3])[0]), str) and name not in ("timezone", "day_cut"):
            words = CODE.findall(row[2])
            assert len(words) > 1
            for word in words:
                settings_of(**{name: word})


def test_every_preset_is_there_as_it_is(language):
    rows = table_of(f"docs/reference/settings{language}", *PRESETS)
    assert rows.keys() == PRESETS.keys()
    for name, (_, *cells) in rows.items():
        *words, followup = cells
        preset = PRESETS[name]
        validity = preset.validity
        told = f"`hours` {validity.hours}" if validity.hours else f"`natural_days` {validity.natural_days}"
        rules = [preset.placing_rule, preset.payment_rule, preset.credit_rule, preset.product_priority]
        assert [*words[:3], words[4]] == [f"`{rule}`" for rule in rules]
        assert words[3] == told
        assert (followup in {"never", "从不"}) is (name in NEVER_FOLLOW_UP)


def test_every_filter_is_there_with_its_default(language):
    rows = table_of(f"docs/reference/settings{language}", "monologue", "forwarded")
    assert rows.keys() == {field.name for field in fields(Filters) if field.type == "bool"}
    for name, row in rows.items():
        default = json.loads(CODE.findall(row[1])[0])
        assert settings_of(filters={name: default}).settings == PRESETS["jd_cloud"]
        switch = {
            **default,
            "enabled": not default["enabled"],
            **({"phrase": "x"} if name == "advert" else {}),
        }
        assert settings_of(filters={name: switch}).settings != PRESETS["jd_cloud"]


def test_every_option_of_the_worker_is_there_with_its_default(language):
    rows = table_of(f"docs/reference/worker{language}", "--broker", "--clock")
    options = {option.opts[0]: option for option in worker.command.params if option.opts[0] != "--help"}
    assert rows.keys() == options.keys()
    for name, row in rows.items():
        default = options[name].default
        has_one = isinstance(default, str | int | Path) and default != ""
        assert CODE.findall(row[1]) == ([str(default)] if has_one else []), name


@pytest.mark.parametrize(
    ("all_of_them", "first"),
    [
        (Metrics, "stream_attr_buyers"),
        (SinkMetrics, "stream_attr_ledger_lag_records"),
        (GatewayMetrics, "stream_attr_gateway_requests_total"),
        (partial(AdaptMetrics, "jd"), "stream_attr_adapt_payloads_total"),
        (PullMetrics, "stream_attr_pull_windows_total"),
        (ConsoleMetrics, "stream_attr_console_requests_total"),
    ],
)
def test_every_metric_is_there(language, all_of_them, first):
    rows = table_of(f"docs/metrics{language}", first)
    metrics = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in all_of_them().registry.collect()
    }
    assert rows.keys() == metrics


def test_the_example_of_settings_is_accepted(language):
    text = (ROOT / f"docs/guides/settings{language}").read_text(encoding="utf-8")
    [example] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert set(decode_settings(example.encode()).profiles) == {"order-first"}
    with pytest.raises(RefusedRecord):
        decode_settings(example.replace("natural", "n").replace('"validity"', '"validty"').encode())
