"""The generated tables of the documentation, by the name that stands in their markers.

Each is written between ``<!-- generated: NAME -->`` and ``<!-- end -->``, in Chinese on pages that end in
``.zh-CN.md``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_type_hints

import click
from prometheus_client.metrics import MetricWrapperBase

from stream_attr.cli import worker
from stream_attr.console.metrics import ConsoleMetrics
from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS, raw_topic
from stream_attr.contract.records.agent_daily import FIGURES
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.contract.records.shop_settings import ShopSettingsRecord
from stream_attr.contract.registry import TopicDefinition, topic_definitions
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.metrics import GatewayMetrics
from stream_attr.gateway.pull_metrics import PullMetrics
from stream_attr.lab.export import STORED
from stream_attr.ledger.figures import FIGURES as LEDGER_FIGURES
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.ledger.sink.tables import TOPICS
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS, NEVER_FOLLOW_UP, PRESETS
from stream_attr.rules.vocabulary import CODES, FILTERS, PRESET_NAMES, VOCABULARIES
from stream_attr.worker.ops.metrics import Metrics
from tools.generate import adapters, chinese, importing
from tools.generate.schemas import record_schemas

DAY_MS: Final = 86_400_000
_SCHEMAS: Final = "@schemas/"
"""Stands in links for the way to ``schemas/``."""
_SECTION: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str, *, in_chinese: bool, schemas: str = "") -> str:
    """Return a document with its generated tables as they should be; ``schemas``: the way to ``schemas/``.

    Raises:
        KeyError: no table has the name of a marker.
    """
    return _SECTION.sub(
        lambda found: f"{found[1]}\n{TABLES[found[2]](in_chinese).replace(_SCHEMAS, schemas)}\n{found[3]}",
        text,
    )


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every document that has generated tables."""
    for path in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), root / "schemas" / "README.md"]):
        text = path.read_text(encoding="utf-8")
        if _SECTION.search(text):
            in_chinese = path.name.endswith(".zh-CN.md")
            schemas = os.path.relpath(root / "schemas", path.parent)
            yield (
                path.relative_to(root).as_posix(),
                filled(text, in_chinese=in_chinese, schemas="" if schemas == "." else f"{schemas}/"),
            )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


def _code(value: object) -> str:
    return f"`{value}`"


# Topics


def _kept(topic: TopicDefinition) -> str:
    if topic.compacted:
        return "the last per key"
    days = int(topic.config["retention.ms"]) // DAY_MS
    return f"{days} days" if days > 0 else "for ever"


def _topics(_: bool) -> str:
    def row(topic: TopicDefinition) -> list[str]:
        record = (
            "the worker's own"
            if topic.record is None
            else f"[{topic.record}]({_SCHEMAS}{topic.record}.schema.json)"
        )
        key = "none" if topic.key is None else topic.key if " " in topic.key else _code(topic.key)
        return [_code(topic.name), topic.direction, record, key, str(topic.partitions or "N"), _kept(topic)]

    return _table(
        ("topic", "direction", "record", "key", "partitions", "kept"),
        map(row, topic_definitions().values()),
    )


def _access(_: bool) -> str:
    topics = topic_definitions().values()

    def names(wanted: Callable[[TopicDefinition], bool]) -> str:
        return ", ".join(_code(topic.name) for topic in topics if wanted(topic))

    own = ("internal", "state")
    ticks = "ticks"
    events = names(lambda topic: topic.record in ("chat-event", "order-event"))
    rulings = names(lambda topic: topic.record == "ruling")
    administered = names(lambda topic: topic.direction == "input" and topic.partitions == 1)
    return _table(
        ("role", "resource", "names", "operations"),
        [
            ("integrator: sends events", "topic", events, "`Write`"),
            ("supervisor: rules on credit", "topic", rulings, "`Write`"),
            (
                "administration: sends settings and roster",
                "topic",
                administered,
                "`Read`, `Write`",
            ),
            (
                "administration: sends settings and roster",
                "group",
                "`stream-attr-shop-records`",
                "`Read`",
            ),
            ("worker", "topic", names(lambda topic: topic.direction in ("input", *own)), "`Read`"),
            (
                "worker",
                "topic",
                names(lambda topic: topic.direction in ("output", *own) or topic.name == ticks),
                "`Write`",
            ),
            ("worker", "topic", names(lambda _: True), "`DescribeConfigs`"),
            ("worker", "group", "`stream-attr`", "`Read`"),
            ("worker", "transactional-id", "`stream-attr-*`", "`Write`"),
            (
                "ledger: keeps the results",
                "topic",
                names(lambda topic: topic.name in TOPICS or topic.direction == "state"),
                "`Read`",
            ),
            ("ledger: keeps the results", "group", "`stream-attr-ledger`", "`Read`"),
            ("lab: stores events", "topic", names(lambda topic: topic.name in STORED), "`Read`"),
            (
                "lab: stores events",
                "group",
                "`stream-attr-lab`, `stream-attr-shop-records`",
                "`Read`",
            ),
            ("gateway: keeps what platforms send, as pull does", "topic", f"`{raw_topic('*')}`", "`Write`"),
            ("adapt: makes events of it", "topic", f"`{raw_topic('*')}`", "`Read`"),
            ("adapt: makes events of it", "topic", f"{events}, {_code(RAW_DEAD_LETTERS)}", "`Write`"),
            ("adapt: makes events of it", "group", "`stream-attr-adapt-*`", "`Read`"),
            ("console: publishes what is decided on it", "topic", rulings, "`Write`"),
            ("console: publishes what is decided on it", "topic", administered, "`Read`, `Write`"),
            ("console: publishes what is decided on it", "group", "`stream-attr-shop-records`", "`Read`"),
            ("payroll: reads decisions", "topic", "`attribution-decisions`", "`Read`"),
            ("payroll: reads decisions", "group", "`payroll`", "`Read`"),
            (
                "operator: makes topics, looks after them",
                "topic",
                "`*`",
                "`Create`, `Describe`, `DescribeConfigs`, `AlterConfigs`",
            ),
            ("operator: makes topics, looks after them", "topic", "`dead-letters`", "`Read`"),
            (
                "operator: makes topics, looks after them",
                "topic",
                f"{_code(ticks)}, {events}, {rulings}",
                "`Write`",
            ),
            ("operator: makes topics, looks after them", "group", "`*`", "`Read`"),
        ],
    )


# Words


def _codes(_: bool) -> str:
    return _table(("code", "means"), [(_code(code), row.meaning) for code, row in CODES.items()])


def _words(_: bool) -> str:
    parts = []
    for title, vocabulary in VOCABULARIES.items():
        rows = [
            (_code(word), row.chinese, row.meaning, "" if row.number is None else str(row.number))
            for word, row in vocabulary.items()
        ]
        kept = any(row[3] for row in rows)
        head = ("word", "中文", "meaning", "in state")
        table = _table(head if kept else head[:3], rows if kept else [row[:3] for row in rows])
        parts.append(f"### {title[0].upper()}{title[1:]} {vocabulary.chinese}\n\n{table}")
    return "\n".join(parts)


# Settings


def _values(schema: dict[str, Any], in_chinese: bool) -> str:
    """Return what a setting may be."""
    null = ("，或 null" if in_chinese else ", or null") if _is(schema, "null") else ""
    comma, to = ("、", "到") if in_chinese else (", ", "to")
    if "enum" in schema:
        named = {word: row.chinese for one in _RULES for word, row in one.items()}
        return comma.join(
            _code(word) + (f" {named[word]}" if word in named else "") for word in schema["enum"]
        )
    if _is(schema, "object"):
        return ("；" if in_chinese else "; ").join(
            f"{_code(name)} ({_values(one, in_chinese)})"
            if _is(one, "object") or _is(one, "array")
            else f"{_code(name)} {_values(one, in_chinese)}"
            for name, one in schema["properties"].items()
        )
    if _is(schema, "boolean"):
        return f"true{comma}false"
    if _is(schema, "integer"):
        if schema["maximum"] == MAX_AMOUNT:
            return f"≥ {schema['minimum']}"
        return f"{schema['minimum']} {to} {schema['maximum']}{null}"
    if _is(schema, "array") and schema["items"].get("type") == "object":
        return _values(schema["items"], in_chinese)
    if _is(schema, "array"):
        return "列表" if in_chinese else "list"
    return "文本" if in_chinese else "text"


_RULES: Final = tuple(
    VOCABULARIES[title] for title in ("pick rule", "credit rule", "product priority", "role")
)


def _is(schema: dict[str, Any], kind: str) -> bool:
    return (
        kind in schema.get("type", ()) if isinstance(schema.get("type"), list) else schema.get("type") == kind
    )


def _default(schema: dict[str, Any], name: str) -> Any:
    """Return what a setting is where neither record nor preset say it."""
    if "default" in schema:
        return schema["default"]
    if _is(schema, "object"):
        parts = {one: _default(inner, one) for one, inner in schema["properties"].items()}
        return {one: default for one, default in parts.items() if default is not None}
    found = getattr(DEFAULT_SETTINGS, name, None)
    return None if found is None else str(found)


def _settings(in_chinese: bool) -> str:
    schema = record_schemas()["settings"].json_schema()
    properties = {name: schema["properties"][name] for name in ("timezone", "day_cut")}
    properties |= schema["$defs"]["rules"]["properties"]
    properties |= {"tasks": schema["properties"]["tasks"]}
    del properties["preset"]
    hints = get_type_hints(ShopSettingsRecord, include_extras=True)
    rows = []
    for name, one in properties.items():
        default = _default(one, name)
        if name == "validity":
            default = {"natural_days": DEFAULT_SETTINGS.validity.natural_days}
        values = _values(one, in_chinese)
        if name == "timezone":
            values = "IANA"
        if name == "day_cut":
            values = "`00:00` – `12:00`"
        if name == "filters":
            default, values = {}, "见下表" if in_chinese else "see below"
        rows.append(
            (
                f"{_code(name)} {one['title']}",
                (hints[name].__metadata__[-1].extra or {})["chinese"]
                if in_chinese
                else one["description"].rstrip("."),
                values,
                _code(json.dumps(default, ensure_ascii=False)),
            )
        )
    head = ("设置", "含义", "取值", "默认") if in_chinese else ("setting", "meaning", "values", "default")
    return _table(head, rows)


def _presets(in_chinese: bool) -> str:
    never, off = ("从不", "关") if in_chinese else ("never", "off")
    rows = []
    for name, preset in PRESETS.items():
        validity = preset.validity
        field, span = ("hours", validity.hours) if validity.hours else ("natural_days", validity.natural_days)
        rows.append(
            (
                f"{_code(name)} {PRESET_NAMES[name].chinese}",
                *map(_code, (preset.placing_rule, preset.payment_rule, preset.credit_rule)),
                f"{_code(field)} {span}",
                _code(preset.product_priority),
                never if name in NEVER_FOLLOW_UP else off,
            )
        )
    head = (
        ("预设", "落实下单", "落实付款", "业绩归属", "询单有效时长", "单品优先", "全静默跟进")
        if in_chinese
        else ("preset", "placing", "payment", "credit", "validity", "product priority", "silent follow-up")
    )
    return _table(head, rows)


def _filters(in_chinese: bool) -> str:
    properties = record_schemas()["settings"].json_schema()["$defs"]["rules"]["properties"]["filters"][
        "properties"
    ]
    rows = [
        (
            f"{_code(name)} {FILTERS[name].chinese}",
            _code(json.dumps(_default(one, name))),
            str(FILTERS[name].chinese_meaning if in_chinese else FILTERS[name].meaning),
        )
        for name, one in properties.items()
    ]
    return _table(("过滤", "默认", "排除的接待") if in_chinese else ("filter", "default", "excludes"), rows)


def _filter_words(in_chinese: bool) -> str:
    rows = [
        (_code(name), row.chinese, str(row.chinese_meaning if in_chinese else row.meaning))
        for name, row in FILTERS.items()
    ]
    return _table(("`filtered`", "中文", "简述" if in_chinese else "in short"), rows)


# Figures


def _figures(group: str, in_chinese: bool) -> str:
    language = 1 if in_chinese else 0
    figures = {name: meta.extra or {} for name, meta in FIGURES[group].items()}
    by_shop = any(one["shop"] for one in figures.values())
    same = "同左" if in_chinese else "the same"
    rows = [
        (
            _code(name),
            one["chinese"],
            one["unit"][language],
            one["formula"][language],
            *((one["shop"][language] if one["shop"] else same,) if by_shop else ()),
        )
        for name, one in figures.items()
    ]
    head = ("数字", "中文", "单位") if in_chinese else ("figure", "中文", "unit")
    if by_shop:
        head += ("客服", "店铺（`*`）") if in_chinese else ("of an agent", "of the shop (`*`)")
    else:
        head += ("算法",) if in_chinese else ("formula",)
    return _table(head, rows)


def _derived_figures(in_chinese: bool) -> str:
    language = 1 if in_chinese else 0
    better = {True: ("more", "越多越好"), False: ("less", "越少越好"), None: ("", "")}
    rows = [
        (
            _code(figure.key),
            figure.name.english,
            figure.name.chinese,
            figure.meaning[language],
            better[figure.more_is_better][language],
        )
        for figure in LEDGER_FIGURES.values()
        if figure.key.partition(".")[2] not in FIGURES[figure.group]
    ]
    head = (
        ("数字", "英文", "中文", "算法", "好坏")
        if in_chinese
        else ("figure", "name", "中文", "formula", "better")
    )
    return _table(head, rows)


# Worker


def _options(in_chinese: bool) -> str:
    rows = []
    for option in worker.command.params:
        if not isinstance(option, click.Option) or option.name == "help":
            continue
        name = option.opts[0]
        default = option.default
        has_one = isinstance(default, str | int | Path) and default != ""
        text = chinese.OPTIONS[name] if in_chinese else re.sub(r"\s+\[default: .*\]$", "", option.help or "")
        if isinstance(option.envvar, str):
            text += f"；也可用 {_code(option.envvar)}" if in_chinese else f" Also {_code(option.envvar)}."
        if isinstance(option.type, click.Choice):
            choices = ("、" if in_chinese else ", ").join(map(_code, option.type.choices))
            text = f"{choices}：{text}" if in_chinese else f"{choices}: {text}"
        rows.append((_code(name), _code(default) if has_one else "", text))
    return _table(("选项", "默认", "含义") if in_chinese else ("option", "default", "meaning"), rows)


_AnyMetrics = Metrics | SinkMetrics | GatewayMetrics | AdaptMetrics | PullMetrics | ConsoleMetrics


def _metrics(all_of_them: _AnyMetrics, in_chinese: bool) -> str:
    rows = []
    for metric in _registered(all_of_them):
        name = f"{metric._name}_total" if metric._type == "counter" else metric._name
        if in_chinese:
            rows.append((_code(name), chinese.METRICS[name]))
        else:
            labels = ", ".join(map(_code, metric._labelnames))
            rows.append((_code(name), metric._type, labels, metric._documentation))
    return _table(("指标", "含义") if in_chinese else ("metric", "kind", "labels", "meaning"), rows)


def _registered(all_of_them: _AnyMetrics) -> Iterator[MetricWrapperBase]:
    for value in vars(all_of_them).values():
        if isinstance(value, MetricWrapperBase):
            yield value


TABLES: Final[dict[str, Callable[[bool], str]]] = {
    "topics": _topics,
    "access": _access,
    "codes": _codes,
    "words": _words,
    "settings": _settings,
    "presets": _presets,
    "filters": _filters,
    "filter-words": _filter_words,
    **{f"figures-{group}": (lambda zh, group=group: _figures(group, zh)) for group in FIGURES},
    "derived-figures": _derived_figures,
    **adapters.tables(_table),
    **importing.tables(_table),
    "options": _options,
    "metrics": lambda zh: _metrics(Metrics(), zh),
    "ledger-metrics": lambda zh: _metrics(SinkMetrics(), zh),
    "gateway-metrics": lambda zh: _metrics(GatewayMetrics(), zh),
    "adapt-metrics": lambda zh: _metrics(AdaptMetrics(""), zh),
    "pull-metrics": lambda zh: _metrics(PullMetrics(), zh),
    "console-metrics": lambda zh: _metrics(ConsoleMetrics(), zh),
}
"""By name; each takes whether it is to be in Chinese."""
