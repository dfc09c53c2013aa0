"""``adapt --from`` and ``--out``: files of raw records become files of events, and what is wrong is named."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from tests.adapters.platforms import documents, sample
from tests.gateway.platform_api import KEY, platform_api
from tests.gateway.signing import signed
from tests.kafka.gateway_process import connections_file


@pytest.fixture
def adapt(tmp_path):
    def of(platform, lines, *options, **more):
        accounts = connections_file(tmp_path / "accounts", [platform], **more)
        raw = tmp_path / "raw.jsonl"
        raw.write_text("".join(json.dumps(line) + "\n" if line != "{" else "{\n" for line in lines))
        words = ["adapt", platform, "--connections", str(accounts), "--from", str(raw), *options]
        return CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out")])

    return of


def written(tmp_path, name):
    return [json.loads(line) for line in (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()]


def test_raw_records_become_events_and_dead_letters(adapt, tmp_path):
    (tmp_path / "key").write_text(KEY)
    with platform_api(documents("doudian")) as api:
        order = {"url": f"{api.url}/order/{{id}}", "header_files": {"X-Key": str(tmp_path / "key")}}
        batch = {
            "connection": "main",
            "received_ts": 1772417530000,
            "body": sample("doudian", "webhook_batch"),
        }
        unknown = json.dumps([{"tag": "999", "data": "{}"}])
        text = {"connection": "main", "received_ts": 1, "body": unknown}
        other = {"connection": "other", "body": []}
        result = adapt("doudian", [batch, text, other, batch], enrich={"order": order})
    assert result.exit_code == 0
    told = "4 payloads, 4 order-events; parts without an event: 1 unknown, 1 unknown_shop"
    assert result.output == f"{told}; in {tmp_path / 'out'}\n"
    assert [(one["event_id"], one["ts"], one["amount"]) for one in written(tmp_path, "orders")] == [
        ("doudian:6900000000000000001:created", 1772417400000, 19900),
        ("doudian:6900000000000000001:paid", 1772417520000, 19900),
    ] * 2
    assert written(tmp_path, "chat") == []
    letters = written(tmp_path, "raw-dead-letters")
    assert [(one["connection"], one["reason"], one["line"]) for one in letters] == [
        ("main", "unknown", 2),
        ("other", "unknown_shop", 3),
    ]
    assert letters[0]["message"].startswith("a kind of payload")
    assert letters[0]["length"] == len(unknown)


def test_what_a_platform_encrypts_is_opened(adapt, tmp_path):
    def encrypted(payload):
        return {
            "connection": "main",
            "by": "signature",
            "body": json.loads(signed("wechat_shop", payload, "").body),
        }

    other = {**encrypted({}), "body": {"Encrypt": "AAAA"}}
    result = adapt("wechat_shop", [encrypted(sample("wechat_shop", "order_get")), other])
    assert result.exit_code == 0
    [created, paid] = written(tmp_path, "orders")
    assert (created["type"], paid["type"], paid["amount"]) == ("created", "paid", 19900)
    [letter] = written(tmp_path, "raw-dead-letters")
    assert (letter["reason"], letter["about"]) == ("not_json", "encrypted by another key")


def test_the_buyers_messages_wait_for_who_answers(adapt, tmp_path):
    names = ("message_created_incoming", "message_created_outgoing")
    lines = [{"connection": "main", "body": sample("chatwoot", name)} for name in names]
    assert adapt("chatwoot", lines, with_text=True).exit_code == 0
    assert [(one["sender"], one["agent_id"]) for one in written(tmp_path, "chat")] == [
        ("buyer", "11"),
        ("agent", "11"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "raw.jsonl, line 2: no raw record"),
        ({"body": {}}, "line 2: no raw record: Object missing required field `connection`"),
        ({"connection": "main", "body": {}, "when": 1}, "unknown field `when`"),
    ],
)
def test_a_line_that_is_no_raw_record_is_named_and_nothing_is_written(adapt, tmp_path, line, problem):
    result = adapt("shopify", [{"connection": "main", "body": {}}, line])
    assert result.exit_code == 2
    assert problem in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_document_that_cannot_be_had_ends_it(adapt):
    order = {"url": "http://127.0.0.1:1/{id}"}
    line = {"connection": "main", "body": sample("doudian", "webhook_batch")}
    result = adapt("doudian", [line], enrich={"order": order})
    assert result.exit_code == 1
    assert "`enrich.order` of connection main of doudian does not answer" in result.stderr


def test_options_that_do_not_go_together_are_named(tmp_path):
    accounts = connections_file(tmp_path / "accounts", ["shopify"])
    for words, problem in (
        (["jd"], "has no connection of jd"),
        (["shopify", "--out", str(tmp_path)], "--out goes with --from"),
        (["shopify", "--from", "x", "--since", "1772417400000"], "--since is for the topic"),
        (["amazon"], "'amazon' is not one of"),
    ):
        result = CliRunner().invoke(main, ["adapt", *words, "--connections", str(accounts)])
        assert result.exit_code == 2
        assert problem in result.stderr
