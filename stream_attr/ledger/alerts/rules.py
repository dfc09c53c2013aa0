"""Rules of alerts: a JSON file, checked field by field before anything is judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from stream_attr.contract.records.fields import field
from stream_attr.contract.schema import RecordSchema, only
from stream_attr.errors import UnusableError
from stream_attr.ledger.alerts.figures import FIGURES
from stream_attr.ledger.formulas import Kind

__all__ = ["Limit", "Rule", "Rules", "UnusableRulesError", "read_rules"]

_WEEK_MINUTES: Final = 7 * 24 * 60
_PERCENT: Final = re.compile(r"\d{1,4}(?:\.\d{1,2})?%", re.ASCII)
_NUMBER: Final = re.compile(r"rules\[(\d+)\]")
_AT: Final = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)

Limit = Literal["above", "below", "above_usual", "below_usual"]
LIMITS: Final[tuple[Limit, ...]] = ("above", "below", "above_usual", "below_usual")
_Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[\w. -]{1,64}\Z",
        extra_json_schema={
            "minLength": 1,
            "maxLength": 64,
            "not": {"pattern": "[\\u0000-\\u001f!-,/:-@\\[-\\^`{-\\u007f]"},
        },
    ),
]
"""1 to 64 letters, digits, spaces, and _ . -; the schema can say no more of letters than what is none."""
_Minutes = Annotated[int, msgspec.Meta(ge=1, le=_WEEK_MINUTES)]
_Threshold = str | Annotated[int, msgspec.Meta(ge=0)] | None
_SHARE: Final = {"pattern": "^[0-9]{1,4}(\\.[0-9]{1,2})?%$"}
_OF_SHARES: Final = 'Of a share like "30%", else an integer, of seconds or of a count. A rule has one limit.'
_AS_USUAL: Final = (
    'than in the same hours of the same weekday of the four weeks before, like "50%". A rule has one limit.'
)


_MEANINGS: Final = "; ".join(f"{key}: {one.name.english}" for key, one in FIGURES.items())


def _with(figures: list[str], limits: Iterable[Limit], *types: str) -> dict[str, Any]:
    """Return the condition that with some figures limits are of these types."""
    return {"if": only("figure", figures), "then": {"properties": {one: {"type": types} for one in limits}}}


def _of_kind(*kinds: Kind) -> list[str]:
    return [key for key, figure in FIGURES.items() if figure.kind in kinds]


class UnusableRulesError(UnusableError):
    """The file of rules, or one that it names, cannot be used; the message names file, rule and field."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to tell whom of which figure."""

    schema_conditions: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {"required": [one], "properties": {one: {"type": ["string", "integer"]}}} for one in LIMITS
        ],
        "allOf": [
            _with(_of_kind(Kind.RATE), ("above", "below"), "string", "null"),
            _with(_of_kind(Kind.SECONDS, Kind.COUNT), ("above", "below"), "integer", "null"),
            _with(
                [key for key, one in FIGURES.items() if not one.has_usual],
                ("above_usual", "below_usual"),
                "null",
            ),
            {"if": only("figure", "refused"), "then": {"properties": {"shops": {"maxItems": 0}}}},
        ],
    }

    name: Annotated[
        _Name,
        field(
            "How it is called in messages, and known by: under another name it begins again. Each rule has "
            "its own, of 1 to 64 letters, digits, spaces, and _ . -"
        ),
    ]
    figure: Annotated[
        str,
        field(
            f"What it looks at, of one shop. {_MEANINGS}.",
            enum=list(FIGURES),
        ),
    ]
    window_minutes: Annotated[_Minutes, field("How long a time it looks at, in minutes, up to a week.")]
    channels: Annotated[
        Annotated[tuple[Annotated[str, field("A name of channels.")], ...], msgspec.Meta(min_length=1)],
        field("Who is notified."),
    ]
    shops: Annotated[
        tuple[Annotated[str, field("A shop.")], ...],
        field("Of these shops; left out or empty: of all shops of the ledger, each by itself."),
    ] = ()
    above: Annotated[_Threshold, field(f"The figure is above this. {_OF_SHARES}", **_SHARE)] = None
    below: Annotated[_Threshold, field(f"The figure is below this. {_OF_SHARES}", **_SHARE)] = None
    above_usual: Annotated[str | None, field(f"By how much more {_AS_USUAL}", **_SHARE)] = None
    below_usual: Annotated[str | None, field(f"By how much less {_AS_USUAL}", **_SHARE)] = None
    least: Annotated[
        Annotated[int, msgspec.Meta(ge=1)],
        field(
            "With fewer cases in the window, or in the weeks before, nothing begins or ends; not of a count "
            "in its window."
        ),
    ] = 10
    delay_minutes: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=_WEEK_MINUTES)],
        field(
            "The window ends so many minutes before the watermark: a question that has just been asked has "
            "no reply yet."
        ),
    ] = 10

    @property
    def limit(self) -> tuple[Limit, Fraction]:
        """Return which limit it has, and the number: a rate, seconds, a count, or the share of usual."""
        ((which, given),) = ((one, found) for one in LIMITS if (found := getattr(self, one)) is not None)
        if isinstance(given, int):
            return which, Fraction(given)
        share = Fraction(given.removesuffix("%")) / 100
        return which, share


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What alerts tell whom, as stream-attr alerts --rules reads it."""

    channels: Annotated[
        Annotated[dict[_Name, str], msgspec.Meta(min_length=1)],
        field(
            "By name, the file that holds the channel's address, from the folder of this one on.",
            minProperties=1,
            additionalProperties={"type": "string"},
        ),
    ]
    rules: Annotated[
        Annotated[tuple[Annotated[Rule, field("One rule.")], ...], msgspec.Meta(min_length=1)],
        field("All rules of a ledger."),
    ]


SCHEMA: Final = RecordSchema("alert-rules", "Alert rules", Rules, closed=True, of_topic=False)


def read_rules(file: Path) -> Rules:
    """Read and check a file of rules.

    Raises:
        UnusableRulesError: it cannot be read, or a field of it cannot be used.
    """
    try:
        content = file.read_bytes()
        found = msgspec.json.decode(content, type=Rules)
    except OSError as error:
        raise UnusableRulesError(f"{file}: cannot be read: {error.strerror or error}") from error
    except msgspec.ValidationError as error:
        at = _AT.match(str(error))
        assert at is not None
        where = f"{_rule_of(content, at[2])}{at[2]}: " if at[2] else ""
        raise UnusableRulesError(f"{file}: {where}{at[1][:1].lower()}{at[1][1:]}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableRulesError(f"{file}: it is not JSON: {error}") from None
    names = Counter(rule.name for rule in found.rules)
    for number, rule in enumerate(found.rules):
        problem = _problem(rule, found)
        if problem is None and names[rule.name] > 1:
            problem = f"name: there are {names[rule.name]} rules named {rule.name!r}; each needs its own"
        if problem is not None:
            raise UnusableRulesError(f"{file}: rule {rule.name!r}, rules[{number}].{problem}")
    return found


def _rule_of(content: bytes, where: str) -> str:
    """Return the name of the rule in which a field is that cannot be used, if it has one."""
    number = _NUMBER.match(where)
    given = msgspec.json.decode(content)["rules"][int(number[1])] if number else None
    name = given.get("name") if isinstance(given, dict) else None
    return f"rule {name!r}, " if isinstance(name, str) else ""


def _problem(rule: Rule, rules: Rules) -> str | None:
    """Return the field that cannot be used, and why."""
    if rule.figure not in FIGURES:
        return f"figure: {rule.figure!r} is no figure for alerts; there are {', '.join(FIGURES)}"
    for channel in rule.channels:
        if channel not in rules.channels:
            return f"channels: {channel!r} is none of the channels {', '.join(rules.channels)}"
    given = [one for one in LIMITS if getattr(rule, one) is not None]
    if len(given) != 1:
        return f"{given[1] if given else 'above'}: a rule has one of {', '.join(LIMITS)}"
    (which,) = given
    limit = getattr(rule, which)
    if which.endswith("_usual") and not FIGURES[rule.figure].has_usual:
        return f"{which}: what is usual of {rule.figure} is not known; give above or below"
    is_rate = which.endswith("_usual") or FIGURES[rule.figure].kind is Kind.RATE
    if is_rate and not (isinstance(limit, str) and _PERCENT.fullmatch(limit)):
        return f'{which}: {limit!r} is not a share like "30%"'
    if not is_rate and not isinstance(limit, int):
        return f"{which}: {limit!r} is not an integer, which {rule.figure} needs"
    if rule.figure == "refused" and rule.shops:
        return "shops: records that are refused belong to no shop; leave it out"
    return None
