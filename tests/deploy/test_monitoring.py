"""Alerts and dashboard: queries that parse, of what our processes tell, and runbooks that are there."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser
import pytest

from stream_attr.adapters.skips import Reason, Skip
from stream_attr.console.metrics import Came, ConsoleMetrics
from stream_attr.console.sessions import Way
from stream_attr.contract.topics import DECISIONS
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.checks import Result
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.pull_metrics import PullMetrics
from stream_attr.ledger.sink.batch import Batch as SinkBatch
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.processor.ports import Batch, Output, Record
from stream_attr.worker.ops.metrics import Metrics
from stream_attr.worker.startup.topics_check import INPUTS
from tests.deploy.manifests import DEPLOY, ROOT, document, queries
from tests.ledger.sink.test_rows import first

DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "stream-attr.json").read_text(encoding="utf-8"))
GROUPS = document(DEPLOY / "prometheus" / "alerts.yaml")["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [*queries(GROUPS), *queries(DASHBOARD)]
RUNBOOK = ROOT / "docs" / "operations.md"
SCRAPED = {"instance", "job"}
"""Labels that Prometheus gives."""
NODES = ("lhs", "rhs", "expr", "args", "vector_selector", "param")


def exposed() -> dict[str, set[str]]:
    """Every time series that our processes have, with their labels; ``up`` is Prometheus's own."""
    metrics, sink, gateway = Metrics(), SinkMetrics(), GatewayMetrics()
    gateway.answered("shopify", Result.KEPT)
    gateway.kept("shopify", 1, 0.1)
    adapt = AdaptMetrics("shopify")
    adapt.took()
    adapt.gave(DECISIONS)
    adapt.skipped(Skip(Reason.UNKNOWN, "topic"))
    adapt.looked_up("order", "asked")
    adapt.lag(0, 1)
    adapt.lost(0, 1)
    pull = PullMetrics()
    pull.asked(("jd", "main", "orders"), "kept")
    pull.kept(("jd", "main", "orders"))
    pull.behind(("jd", "main", "orders"), lambda: 1)
    console = ConsoleMetrics()
    console.answered("/today", 200, 0.1)
    console.log_in(Way.PASSWORD, Came.IN)
    console.saw(1, 1, {DECISIONS: 1})
    console._connections.labels("idle").set(1)
    stored = SinkBatch({(DECISIONS, 0): 0})
    stored.add(Record(DECISIONS, 0, 0, 1, None, json.dumps(first(DECISIONS)).encode()))
    stored.add(Record(DECISIONS, 0, 1, 1, None, b""))
    sink.written(stored, 0.1)
    sink.lost((DECISIONS, 0), 1)
    sink.lag((DECISIONS, 0), 1)
    batch = Batch()
    for topic in INPUTS:
        metrics.input(0, topic, 1)
        metrics.lost(0, topic, 1)
    stats = batch.stats
    stats.events = stats.late = stats.repeats = stats.reports = dict.fromkeys(INPUTS, 1)
    stats.decisions = {("official", "silent", "paid"): 1}
    stats.dead_letters = {"not_json": 1}
    stats.watermark = 1
    metrics.judged(0, batch, 1, 0.1, 0.1)
    metrics.state(0, 1)
    metrics.partitioners(dict.fromkeys(INPUTS, 1.0), differ=False)
    metrics.refused([Output("dead-letters", b"", b'{"code": "bad_value"}')])
    found: dict[str, set[str]] = {"up": set()}
    every = (metrics, sink, gateway, adapt, pull, console)
    for family in [one for each in every for one in each.registry.collect()]:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


SERIES = exposed()


class Use(NamedTuple):
    """A time series that a query names, and the labels that it speaks of."""

    name: str
    labels: set[str]


def uses(query: str) -> Iterator[Use]:
    """What a query asks of which series: labels matched, grouped by or joined on."""
    yield from _uses(promql_parser.parse(query.replace("$__rate_interval", "5m")), frozenset())


def _uses(node: Any, around: frozenset[str]) -> Iterator[Use]:
    if isinstance(node, promql_parser.VectorSelector):
        assert node.name is not None, "a selector names its metric"
        yield Use(node.name, {matcher.name for matcher in node.matchers.matchers} | around)
        return
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr):
        around = frozenset(modifier.labels) if modifier else frozenset()
    elif modifier is not None and modifier.matching is not None:
        around |= frozenset(modifier.matching.labels)
    for name in NODES:
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from _uses(one, around)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_a_worker_tells(query):
    found = list(uses(query))
    assert found
    for use in found:
        assert use.name in SERIES
        assert use.labels <= SERIES[use.name] | SCRAPED


def test_what_a_worker_does_not_tell_is_found_out():
    query = 'sum by (shop) (rate(stream_attr_event_total{topc="x"}[5m])) / on (part) stream_attr_buyers'
    assert list(uses(query)) == [
        Use("stream_attr_event_total", {"topc", "shop"}),
        Use("stream_attr_buyers", {"part"}),
    ]
    with pytest.raises(ValueError, match="unclosed"):
        list(uses("sum(up"))


def test_the_words_that_a_query_picks_by_are_ones_that_there_are():
    values = {
        "topic": set(INPUTS),
        "job": {
            "stream-attr",
            "stream-attr-ledger",
            "stream-attr-gateway",
            "stream-attr-adapt",
            "stream-attr-pull",
            "stream-attr-console",
        },
        "result": {str(one) for kind in (Result, Came) for one in kind},
        "status": {"5.."},
        "route": {"/static"},
        "profile": {"official", "comparison"},
    }
    for query in QUERIES:
        for label, said in re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', query):
            assert set(said.split("|")) <= values[label], query


def test_every_metric_is_on_the_dashboard():
    shown = {use.name.removesuffix("_bucket") for query in queries(DASHBOARD) for use in uses(query)}
    assert shown == {
        family.name + ("_total" if family.type == "counter" else "")
        for registry in [
            one().registry for one in (Metrics, SinkMetrics, GatewayMetrics, PullMetrics, ConsoleMetrics)
        ]
        + [AdaptMetrics("").registry]
        for family in registry.collect()
    } | {"up"}


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for one, other in itertools.combinations([panel["gridPos"] for panel in everything], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart
        assert one["x"] + one["w"] <= 24


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_the_chosen_source_and_names_its_lines_by_labels_it_keeps(panel):
    assert {one["datasource"]["uid"] for one in [panel, *panel["targets"]]} == {"${datasource}"}
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource"]
    for target in panel["targets"]:
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \((.*?)\)", target["expr"]))))
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
            assert label in grouped, target["expr"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_severity_a_sentence_and_a_runbook(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / path == RUNBOOK
    assert anchor == name.lower()
    assert f"\n### {name}\n" in RUNBOOK.read_text(encoding="utf-8")


def test_no_runbook_is_of_an_alert_that_is_gone():
    headings = re.findall(r"^### (StreamAttr\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(ALERTS)
