"""``stream-attr import``: from a shop's exports to events in a folder, on a broker, or judged at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer

from stream_attr.cli import main
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded.broker import EmbeddedBroker
from tests.importing import files as exports
from tests.importing.files import csv_file

CHAT_ROWS = (
    "时间,买家,客服,方向,内容",
    "2026-03-02 10:00:00,b-1,kf01,买家,在吗",
    "2026-03-02 10:00:20,b-1,kf01,客服,在的亲",
)
ORDER_ROWS = ("订单号,买家,下单,付款,金额", "o-1,b-1,2026-03-02 10:05:00,2026-03-02 10:06:00,19.90")
SETTINGS = {
    "shop_id": "s1",
    "effective_from": "2026-01-01",
    "preset": "jd_cloud",
    "timezone": "Asia/Shanghai",
}


def run(*command: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in command])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments that import a file of chats and one of orders, in the current folder."""
    monkeypatch.chdir(tmp_path)
    csv_file(tmp_path / "chats.csv", *CHAT_ROWS, encoding="gb18030")
    csv_file(tmp_path / "orders.csv", *ORDER_ROWS)
    for name, text in (("chats", exports.CHATS), ("orders", exports.ORDERS)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    (tmp_path / "array.json").write_text('[\n{"order": "o"}]')
    (tmp_path / "settings.jsonl").write_text(json.dumps(SETTINGS))
    return [
        "chats.csv",
        "orders.csv",
        "--map",
        "chats.toml",
        "orders.toml",
        "--shop",
        "s1",
        "--out",
        "events",
    ]


def test_the_events_are_in_the_folder_and_usable(files: list[str]) -> None:
    done = run("import", *files)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "chats.csv: chats, by chats.toml: "
        + ", ".join(["时间 → time", "买家 → buyer", "客服 → agent", "方向 → sender", "内容 → text"]),
        "orders.csv: orders, by orders.toml: "
        + ", ".join(["订单号 → order", "买家 → buyer", "下单 → created", "付款 → paid", "金额 → amount"]),
        "3 rows, 2 chat-events, 2 order-events, 0 refused in events",
    ]
    assert {one.name for one in Path("events").iterdir()} == {
        "chat-events.jsonl",
        "order-events.jsonl",
        "refused-rows.jsonl",
    }
    assert Path("events/refused-rows.jsonl").read_bytes() == b""
    checked = run(
        "check", "--chat", "events/chat-events.jsonl", "--orders", "events/order-events.jsonl", "--strict"
    )
    assert (checked.exit_code, checked.stderr) == (0, "4 lines checked: no problems\n")


def test_the_same_files_give_the_same_bytes(files: list[str]) -> None:
    def written() -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in Path("events").iterdir()}

    assert run("import", *files).exit_code == 0
    before = written()
    assert run("import", *files).exit_code == 2
    assert run("import", *files, "--overwrite").exit_code == 0
    assert written() == before


def test_they_can_be_judged_at_once(files: list[str]) -> None:
    done = run("import", *files, "--replay", "decided", "--settings", "settings.jsonl")
    assert done.exit_code == 0, done.output
    lines = Path("decided/attribution-decisions.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert (last["order_id"], last["status"], last["credit"]["agent_id"], last["amount"]) == (
        "o-1",
        "final",
        "kf01",
        1990,
    )


def test_refused_rows_are_written_counted_and_end_with_1(files: list[str]) -> None:
    csv_file(
        Path("orders.csv"), *ORDER_ROWS, "1.23E+18,b,2026-03-02 10:00,,1", "o-3,b,2026-03-02 10:00,,1.999"
    )
    done = run("import", *files)
    assert done.exit_code == 1
    assert "5 rows, 2 chat-events, 2 order-events, 2 refused in events" in done.stderr
    assert (
        "refused: 1 bad_amount, the first: orders.csv, row 4, column '金额': '1.999' has more" in done.stderr
    )
    refused = [json.loads(line) for line in Path("events/refused-rows.jsonl").read_text().splitlines()]
    assert [(one["file"], one["row"], one["column"], one["code"]) for one in refused] == [
        ("orders.csv", 3, "订单号", "bad_id"),
        ("orders.csv", 4, "金额", "bad_amount"),
    ]
    assert refused[1]["cells"] == {"订单号": "o-3", "买家": "b", "下单": "2026-03-02 10:00", "金额": "1.999"}


def test_one_that_breaks_off_leaves_what_was_there(files: list[str]) -> None:
    assert run("import", *files).exit_code == 0
    before = Path("events/order-events.jsonl").read_bytes()
    damaged = (f"26000000000000{n}0000,b,2026-03-02 10:00,,1" for n in (1, 2, 3))
    csv_file(Path("orders.csv"), ORDER_ROWS[0], *damaged)
    done = run("import", *files, "--overwrite")
    assert done.exit_code == 2
    assert "orders.csv, row 2, column '订单号': 260000000000001" in done.stderr
    assert Path("events/order-events.jsonl").read_bytes() == before
    assert len(list(Path("events").iterdir())) == 3


def test_orders_alone_replace_chats_that_were_imported_before(files: list[str]) -> None:
    assert run("import", *files).exit_code == 0
    done = run(
        "import", "orders.csv", "--map", "orders.toml", "--shop", "s1", "--out", "events", "--overwrite"
    )
    assert done.exit_code == 0
    assert not Path("events/chat-events.jsonl").exists()


@pytest.mark.usefixtures("files")
def test_describe_writes_a_map_once() -> None:
    csv_file(Path("new.csv"), "发送时间,买家昵称,客服账号,方向", "2026-03-02 10:00:00,b-1,kf01,顾客")
    done = run("import", "--describe", "new.csv")
    assert done.exit_code == 0
    assert "发送时间 → time: when it was sent" in done.stdout
    assert "stream-attr import new.csv --map new.csv.toml --shop SHOP --out events" in done.stdout
    again = run("import", "--describe", "new.csv")
    assert (again.exit_code, "new.csv.toml is there already" in again.stderr) == (2, True)
    imported = run(
        "import", "new.csv", "--map", "new.csv.toml", "--shop", "s1", "--out", "x", "--zone", "Asia/Shanghai"
    )
    assert imported.exit_code == 0, imported.output


@pytest.mark.kafka
def test_they_can_be_published_and_sent_twice(files: list[str], broker: EmbeddedBroker) -> None:
    create_topics(broker.bootstrap, partitions=2)
    for _ in range(2):
        done = run("import", *files, "--overwrite", "--publish", "--broker", broker.bootstrap)
        assert done.exit_code == 0, done.output
        assert done.stderr.endswith("published 2 to chat-events, 2 to order-events\n")
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": "t", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([CHAT, ORDERS])
    seen: dict[tuple[str, str], list[int]] = {}
    while sum(map(len, seen.values())) < 8:
        record = consumer.poll(60)
        assert record is not None
        assert record.error() is None
        assert record.key() == b"s1|b-1"
        event = json.loads(record.value())
        seen.setdefault((record.topic(), event["event_id"]), []).append(record.partition())
    consumer.close()
    assert {topic for topic, _ in seen} == {CHAT, ORDERS}
    assert [len(one) for one in seen.values()] == [2, 2, 2, 2], "each event twice, with the same id"
    assert len({partition for one in seen.values() for partition in one}) == 1


USAGE = {
    (): "nothing to import",
    ("orders.csv",): "nowhere to write to",
    ("--describe", "orders.csv", "chats.csv"): "--describe takes one file",
    ("orders.csv", "--save", "x"): "--save goes with --describe",
    ("orders.csv", "--out", "x", "--roster", "r"): "--settings and --roster go with --replay",
    ("orders.csv", "--out", "x", "--zone", "Mars"): "'Mars' is not an IANA time zone, such as Asia/Shanghai",
    ("orders.csv", "--out", "x", "--shop", "a|b"): "has a `|`",
    ("orders.csv", "--out", "x", "--shop", ""): "an id has 1 to 128 characters",
    ("none.csv", "--out", "x"): "none.csv: No such file",
    (
        "orders.csv",
        "--out",
        "x",
        "--map",
        "orders.toml",
    ): "no column of orders.csv says the shop: give --shop",
    ("array.json", "--out", "x"): "array.json: it is one JSON array: write each object on a line of its own",
    ("orders.csv", "--out", "x", "--map", "chats.toml"): "no column map fits",
    ("orders.csv", "--out", "x", "--map", "none.toml"): "none.toml: No such file",
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "said"), USAGE.items(), ids=list(USAGE.values()))
def test_wrong_usage_is_told_with_its_remedy(arguments: tuple[str, ...], said: str) -> None:
    done = run("import", *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert not Path("x").exists()
