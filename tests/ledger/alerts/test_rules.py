"""A file of rules is refused by the field that cannot be used."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from stream_attr.ledger.alerts.rules import UnusableRulesError, read_rules

RULE = {
    "name": "slow",
    "figure": "first_response",
    "window_minutes": 60,
    "above": 30,
    "channels": ["ops"],
}


def written(folder: Path, content: Any) -> Path:
    file = folder / "rules.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
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
        (rules({**RULE, "window_minutes": "60"}), "rules[0].window_minutes: expected `int`, got `str`"),
        (rules({**RULE, "window_minutes": 0}), "rules[0].window_minutes: expected `int` >= 1"),
        (rules({**RULE, "windows": 1}), "rules[0]: object contains unknown field `windows`"),
        (rules({"name": "slow"}), "rules[0]: object missing required field `figure`"),
        (rules({**RULE, "figure": "sales"}), "rules[0].figure: 'sales' is no figure for alerts; there are "),
        (rules({**RULE, "channels": ["x"]}), "rules[0].channels: 'x' is none of the channels ops"),
        (rules({**RULE, "below": 1}), "rules[0].below: a rule has one of above, below, "),
        (rules({**RULE, "above": None}), "rules[0].above: a rule has one of above, below, "),
        (rules({**RULE, "above": "30%"}), "rules[0].above: '30%' is not an integer, which first_response"),
        (rules({**RULE, "figure": "silent"}), 'rules[0].above: 30 is not a share like "30%"'),
        (
            rules({**RULE, "figure": "overdue", "above": None, "above_usual": "1%"}),
            "rules[0].above_usual: what is usual of overdue is not known; give above or below",
        ),
        (rules(RULE, RULE), "rules[0].name: there are 2 rules named 'slow'; each needs its own"),
        (rules({**RULE, "figure": "refused", "shops": ["jd:1"]}), "rules[0].shops: records that are refused"),
    ],
)
def test_an_error_names_the_field(tmp_path: Path, content: Any, said: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(UnusableRulesError) as caught:
        read_rules(file)
    assert str(caught.value).startswith(f"{file}: {said}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableRulesError, match=r"none\.json: cannot be read: No such file"):
        read_rules(tmp_path / "none.json")
