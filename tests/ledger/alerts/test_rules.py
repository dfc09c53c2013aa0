"""A file of rules is refused by the field that cannot be used."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream_attr.contract.registry import record_schema
from stream_attr.ledger.alerts.rules import UnusableRulesError, read_rules

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "schemas/examples/alert-rules"
RULE = {
    "name": "slow",
    "figure": "first_response",
    "window_minutes": 60,
    "above": 30,
    "channels": ["ops"],
}


def written(folder: Path, content: Any) -> Path:
    file = folder / "rules.json"
    text = content if isinstance(content, bytes | str) else json.dumps(content)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def rules(*some: Any) -> dict:
    return {"channels": {"ops": "ops.url"}, "rules": list(some)}


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    (rule,) = read_rules(written(tmp_path, rules(RULE))).rules
    assert (rule.least, rule.delay_minutes, rule.shops) == (10, 10, ())
    assert rule.limit == ("above", Fraction(30))


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"figure": "silent", "below": "12.5%"}, ("below", Fraction(1, 8))),
        ({"above_usual": "50%"}, ("above_usual", Fraction(1, 2))),
        ({"figure": "overdue", "above": 0}, ("above", Fraction(0))),
    ],
)
def test_limits_are_exact(tmp_path: Path, given: dict, limit: tuple) -> None:
    plain = {name: value for name, value in RULE.items() if name != "above"}
    (rule,) = read_rules(written(tmp_path, rules({**plain, **given}))).rules
    assert rule.limit == limit


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is not JSON: "),
        (rules(), "rules: expected `array` of length >= 1"),
        (rules({**RULE, "window_minutes": 0}), "rule 'slow', rules[0].window_minutes: expected `int` >= 1"),
        (rules({"name": "slow"}), "rule 'slow', rules[0]: object missing required field `figure`"),
        (rules(RULE, "slow"), "rules[1]: expected `object`, got `str`"),
        (rules({**RULE, "name": 7}), "rules[0].name: expected `str`, got `int`"),
        (rules({**RULE, "below": 1}), "rule 'slow', rules[0].below: a rule has one of above, below, "),
        (b"\xff", "it is not JSON: "),
    ],
)
def test_an_error_names_the_field(tmp_path: Path, content: Any, said: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(UnusableRulesError) as caught:
        read_rules(file)
    assert str(caught.value).startswith(f"{file}: {said}")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.fail.json")), ids=lambda path: path.stem)
def test_an_example_that_fails_is_refused_by_file_rule_and_field(tmp_path: Path, path: Path) -> None:
    example = json.loads(path.read_text("utf-8"))
    file = written(tmp_path, example["record"])
    with pytest.raises(UnusableRulesError) as caught:
        read_rules(file)
    assert str(caught.value) == f"{file}: {example['why']}"
    assert f"{example['field']}: " in example["why"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.pass.json")), ids=lambda path: path.stem)
def test_an_example_that_passes_is_read(tmp_path: Path, path: Path) -> None:
    example = json.loads(path.read_text("utf-8"))
    found = read_rules(written(tmp_path, example))
    assert [rule.name for rule in found.rules] == [rule["name"] for rule in example["rules"]]


@pytest.mark.parametrize("page", ["alerts.md", "alerts.zh-CN.md"])
def test_the_rules_of_the_guide_are_as_the_schema_says(tmp_path: Path, page: str) -> None:
    text = (ROOT / "docs/guides" / page).read_text("utf-8")
    shown = text.partition("```json\n")[2].partition("```")[0]
    validator = Draft202012Validator(record_schema("alert-rules"))
    validator.validate(json.loads(shown))
    assert len(read_rules(written(tmp_path, shown)).rules) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableRulesError, match=r"none\.json: cannot be read: No such file"):
        read_rules(tmp_path / "none.json")
