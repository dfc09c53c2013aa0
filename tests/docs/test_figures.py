"""docs/figures.md and its Chinese twin: complete, alike, and the worked example is what comes out."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.rules.reports.day_totals import GROUPS
from tests.docs.blocks import ROOT, blocks_of, steps_of

DOCUMENTS = ("docs/figures.md", "docs/figures.zh-CN.md")
SCHEMAS = ("reception-fact", "inquiry-outcome", "agent-daily")
OF_EVERY_GROUP = {"status", "final_from"}
SHOP, AGENT, DAY = "jd:10086", "kf-05", "2026-11-10"
ZONE = ZoneInfo("Asia/Shanghai")
CODE = re.compile(r"`([^`\n]+)`")
each_document = pytest.mark.parametrize("document", DOCUMENTS)


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


def schema_of(name):
    return json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))


def tables_of(text):
    """All tables of a text, each a list of rows, each row a list of cells, the head first."""
    found = re.findall(r"^(\|.*\n\|[ |:-]+\n(?:\|.*\n)+)", text, flags=re.MULTILINE)
    return [
        [
            [cell.strip() for cell in row.strip("|").split("|")]
            for row in table.splitlines()
            if "---" not in row
        ]
        for table in found
    ]


def plain(cell):
    return cell.replace("`", "")


def words_of(schema):
    """All names of properties and all words that a property may be, nested ones too."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties":
                yield from value
            if name in {"enum", "const"}:
                yield from [word for word in (value if name == "enum" else [value]) if isinstance(word, str)]
            yield from words_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from words_of(value)


def figures_of(group):
    properties = schema_of("agent-daily")["properties"][group]["properties"]
    return [name for name in properties if name not in OF_EVERY_GROUP]


# Complete and alike


@each_document
@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_property_and_word_of_the_schemas_is_told(schema, document):
    named = set(CODE.findall(text_of(document)))
    assert set(words_of(schema_of(schema))) - named == set()


@each_document
def test_the_table_of_facts_has_all_fields_in_their_order(document):
    [fields] = [
        table for table in tables_of(text_of(document)) if any(row[0] == "`first_ts`" for row in table)
    ]
    assert [CODE.findall(row[0])[0] for row in fields[1:]] == list(schema_of("reception-fact")["properties"])


@each_document
def test_the_table_of_filters_has_all_in_their_order(document):
    [filters] = [table for table in tables_of(text_of(document)) if table[0][0] == "`filtered`"]
    enum = schema_of("reception-fact")["properties"]["filtered"]["enum"]
    assert [plain(row[0]) for row in filters[1:]] == [word for word in enum if word]


@each_document
@pytest.mark.parametrize("group", GROUPS)
def test_every_figure_of_a_group_is_in_the_table_of_the_group(group, document):
    [section] = re.findall(rf"^### [^`\n]*`{group}`\n(.*?)^##", text_of(document), re.MULTILINE | re.DOTALL)
    [table] = tables_of(section)
    assert [plain(row[0]) for row in table[1:]] == figures_of(group)


def test_both_have_the_same_headings_tables_and_blocks():
    ours, theirs = (text_of(document) for document in DOCUMENTS)
    levels = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (ours, theirs)]
    assert levels[0] == levels[1]
    shapes = [[[len(row) for row in table] for table in tables_of(text)] for text in (ours, theirs)]
    assert shapes[0] == shapes[1]
    blocks = [[block.text for block in blocks_of(text)] for text in (ours, theirs)]
    assert blocks[0] == blocks[1]
    assert ours.count("\n- ") == theirs.count("\n- ")


def test_both_name_the_same_things_in_every_table():
    ours, theirs = (tables_of(text_of(document)) for document in DOCUMENTS)
    for our_table, their_table in zip(ours[1:], theirs[1:], strict=True):
        for our_row, their_row in zip(our_table[1:], their_table[1:], strict=True):
            names = [set(CODE.findall(" ".join(row))) for row in (our_row, their_row)]
            assert names[0] == names[1]


def test_the_worked_example_is_the_same_in_both():
    def numbers(document):
        return re.findall(
            r"[\w.:-]*\d[\w.:-]*", " ".join(CODE.sub(r" \1 ", part) for part in example(document))
        )

    def example(document):
        return [cell for table in example_tables(document).values() for row in table[1:] for cell in row]

    ours, theirs = (numbers(document) for document in DOCUMENTS)
    assert ours
    assert ours == theirs


@each_document
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)]+)\)", text_of(document))
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        target = (ROOT / document).parent / file if file else ROOT / document
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, link


# The worked example


def example_tables(document):
    """The tables of the worked example, by what they show."""
    tables = tables_of(text_of(document))[-6:]
    return dict(zip(("chat", "facts", "inquiries", "orders", "day", "shop"), tables, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The commands of the worked example, done in an empty folder."""
    folder = tmp_path_factory.mktemp("figures")
    [block] = [block for block in blocks_of(text_of(DOCUMENTS[0])) if block.kind == "console"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "docs").symlink_to(ROOT / "docs")
        for step in steps_of(block):
            program, *words = step.command.split()
            assert program == "stream-attr"
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def last_records(folder):
    """The last record per key of an output, by the rest of its key."""

    def last(name, *keys):
        lines = (folder / "out" / f"{name}.jsonl").read_bytes().splitlines()
        return {tuple(record[key] for key in keys): record for record in map(json.loads, lines)}

    return {
        "facts": last("reception-facts", "buyer_id", "agent_id", "day"),
        "inquiries": last("inquiry-outcomes", "buyer_id", "agent_id", "day"),
        "orders": last("attribution-decisions", "order_id"),
        "days": last("agent-daily", "agent_id", "day"),
    }


def shown(value):
    """A value as the tables show it."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return value["agent_id"]
    return value if isinstance(value, str) else json.dumps(value)


def instant(ts, form):
    return datetime.fromtimestamp(ts / 1000, ZONE).strftime(form)


def day_of(ts):
    return None if ts is None else instant(ts, "%Y-%m-%d")


def rows_by_name(table):
    """The rows below a head of field names."""
    return [dict(zip(map(plain, table[0]), map(plain, row), strict=True)) for row in table[1:]]


@each_document
def test_the_chat_is_what_was_said(document, last_records):
    messages = []
    for line in (ROOT / "docs/examples/figures/chat.jsonl").read_bytes().splitlines():
        event = json.loads(line)
        if (event["buyer_id"], day_of(event["ts"])) != ("b-00004", DAY):
            continue
        if event.get("to_agent_id") == AGENT:
            handed_over_ts = event["ts"]
        elif event["agent_id"] == AGENT:
            messages.append(event)
    messages.sort(key=lambda event: event["ts"])
    first, *rows = example_tables(document)["chat"][1:]
    assert first[0] == instant(handed_over_ts, "%H:%M:%S.") + f"{handed_over_ts % 1000:03}"
    assert [row[0] for row in rows] == [
        instant(event["ts"], "%H:%M:%S.") + f"{event['ts'] % 1000:03}" for event in messages
    ]
    assert [row[1] in {"agent", "客服"} for row in rows] == [event["sender"] == "agent" for event in messages]
    responses, waiting = [], handed_over_ts
    for row, event in zip(rows, messages, strict=True):
        if event["sender"] == "buyer":
            waiting = event["ts"] if waiting is None else waiting
            assert row[2:] == ["", ""]
            continue
        assert row[2] == str(len(event["text"]))
        assert row[3] == ("" if waiting is None else str(event["ts"] - waiting))
        responses += [] if waiting is None else [event["ts"] - waiting]
        waiting = None
    fact = last_records["facts"]["b-00004", AGENT, DAY]
    rounds = sum(later["sender"] == "agent" != before["sender"] for before, later in pairwise(messages))
    sums = " + ".join(map(str, responses)) + f" = {sum(responses)}"
    assert sums in text_of(document)
    assert (fact["response_ms_sum"], fact["response_count"]) == (sum(responses), len(responses))
    assert (fact["rounds"], fact["first_response_ms"]) == (rounds, responses[0]) == (4, 83410)
    assert fact["agent_characters"] == sum(int(row[2]) for row in rows if row[2]) == 133


@each_document
@pytest.mark.parametrize("kind", ["facts", "inquiries"])
def test_facts_and_inquiries_are_what_comes_out(kind, document, last_records):
    rows = rows_by_name(example_tables(document)[kind])
    for row in rows:
        record = last_records[kind][row["buyer_id"], row["agent_id"], DAY]
        assert {name: shown(record[name]) for name in row} == row
        assert record["status"] == "final"
    here = {row["buyer_id"] for row in rows if row["agent_id"] == AGENT}
    assert here == {buyer for buyer, agent, day in last_records[kind] if (agent, day) == (AGENT, DAY)}


@each_document
def test_the_orders_are_all_that_the_agent_placed_and_had_credit_for(document, last_records):
    rows = {row["order_id"]: row for row in rows_by_name(example_tables(document)["orders"])}
    placed = {
        order_id
        for (order_id,), order in last_records["orders"].items()
        if shown(order["placing"]) == AGENT and day_of(order["created_ts"]) == DAY
    }
    sold = {
        order_id
        for (order_id,), order in last_records["orders"].items()
        if shown(order["credit"]) == AGENT and day_of(order["paid_ts"]) == DAY
    }
    assert rows.keys() == placed >= sold
    for order_id, row in rows.items():
        order = last_records["orders"][order_id,]
        names = ("order_id", "buyer_id", "placing", "payment", "credit", "amount", "quantity")
        assert {name: shown(order[name]) for name in names}.items() <= row.items()
        times = [instant(order[name], "%m-%d %H:%M:%S") for name in ("created_ts", "paid_ts")]
        assert list(row.values())[2:4] == times


@each_document
def test_the_figures_of_the_day_come_out_and_add_up(document, last_records):
    record = last_records["days"][AGENT, DAY]
    assert record["status"] == "final"
    for name, value, source in example_tables(document)["day"][1:]:
        group, figure = plain(name).split(".")
        assert value == shown(record[group][figure]), name
        sums = [code for code in CODE.findall(source) if re.fullmatch(r"[\d +\-/().]+", code)]
        for code in sums:
            exact = eval(re.sub(r"\d+", r"Fraction(\g<0>)", code), {"Fraction": Fraction})
            places = "0.0001" if "." in value else "1"
            number = Decimal(exact.numerator) / Decimal(exact.denominator)
            assert number.quantize(Decimal(places), ROUND_HALF_UP) == Decimal(value), name


@each_document
def test_the_agents_and_the_silent_orders_make_the_shop(document, last_records):
    *rows, silent, total = rows_by_name(example_tables(document)["shop"])
    assert [row["agent_id"] for row in rows] == sorted(
        agent for agent, day in last_records["days"] if day == DAY and agent != "*"
    )
    groups = {"consults": "workload", "inquiries": "inquiries", "payment_lost": "payments"}
    for row in [*rows, total]:
        record = last_records["days"][row["agent_id"], DAY]
        for name in list(row)[1:]:
            assert row[name] == shown(record[groups.get(name, "sales")][name]), (row["agent_id"], name)
    assert total["agent_id"] == "*"
    for name in ("orders", "amount"):
        assert silent[name] == shown(last_records["days"]["*", DAY]["silent"][name])
        assert sum(int(row[name]) for row in [*rows, silent]) == int(total[name])
    sums = " + ".join(row["amount"] for row in [*rows, silent] if row["amount"] != "0")
    assert f"{sums} = {total['amount']}" in text_of(document)
    assert (sum(int(row["inquiries"]) for row in rows), total["inquiries"]) == (11, "10")
    assert last_records["inquiries"]["b-00006", "kf-10", DAY]["outcome"] == "payment_lost"
    assert last_records["inquiries"]["b-00006", "kf-06", DAY]["outcome"] == "paid"


def test_the_identities_hold_in_every_last_record_of_the_example(last_records):
    for (agent, day), record in last_records["days"].items():
        inquiries, payments = record["inquiries"], record["payments"]
        assert record["status"] == "final"
        assert inquiries["inquiries"] == inquiries["ordered"] + inquiries["lost"]
        assert inquiries["open"] == 0
        assert inquiries["ordered"] == payments["paid"] + payments["payment_lost"]
        assert record["workload"]["unreplied"] <= record["workload"]["receptions"]
        assert record["workload"]["receptions"] <= record["workload"]["consults"]
        if agent == "*":
            for name in ("orders", "quantity", "amount"):
                agents = sum(
                    other["sales"][name]
                    for (who, when), other in last_records["days"].items()
                    if when == day and who != "*"
                )
                assert agents + record["silent"][name] == record["sales"][name]
