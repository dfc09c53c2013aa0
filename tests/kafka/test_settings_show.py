"""settings show: the rules in force as a worker has them, from the topics."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.shop_records import read_shop_records


@pytest.fixture
def run(broker, topic_prefix):
    def run(*arguments: str):
        *command, last = arguments
        options = ["--broker", broker.bootstrap, "--topic-prefix", topic_prefix]
        return CliRunner().invoke(main, [*command, last, *options])

    return run


def test_rules_come_from_the_records_on_the_topics(run, broker, topic_prefix, tmp_path):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    assert read_shop_records(broker.bootstrap, topic_prefix) == []
    settings, roster = tmp_path / "settings.jsonl", tmp_path / "roster.jsonl"
    settings.write_text('{"shop_id": "jd:1", "effective_from": "2025-01-01", "credit_rule": "order"}\n')
    roster.write_text(
        '{"shop_id": "jd:1", "effective_from": "2025-01-01", "agent_id": "A", "role": "aftersale"}\n'
    )
    assert run("publish", "--settings", str(settings), "--roster", str(roster)).exit_code == 0
    shown = run("settings", "show", "jd:1", "--json")
    assert shown.exit_code == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["settings"]["credit_rule"]["value"] == "order"
    assert found["settings"]["credit_rule"]["origin"].startswith("shop-settings 0@0 sent ")
    assert found["roster"]["A"]["role"] == "aftersale"


def test_missing_topics_name_the_command_that_creates_them(run):
    shown = run("settings", "show", "jd:1")
    assert shown.exit_code == 2
    assert "topics create" in shown.stderr
