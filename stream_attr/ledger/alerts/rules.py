"""Rules of alerts: a JSON file, checked field by field before anything is judged."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from stream_attr.errors import UnusableError
from stream_attr.ledger.alerts.figures import FIGURES
from stream_attr.ledger.formulas import Kind

__all__ = ["Limit", "Rule", "Rules", "UnusableRulesError", "read_rules"]

_WEEK_MINUTES: Final = 7 * 24 * 60
_PERCENT: Final = re.compile(r"\d{1,4}(?:\.\d{1,2})?%", re.ASCII)
_AT: Final = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)

Limit = Literal["above", "below", "above_usual", "below_usual"]
LIMITS: Final[tuple[Limit, ...]] = ("above", "below", "above_usual", "below_usual")
_Name = Annotated[str, msgspec.Meta(pattern=r"^[\w. -]{1,64}$")]
_Minutes = Annotated[int, msgspec.Meta(ge=1, le=_WEEK_MINUTES)]
_Threshold = str | Annotated[int, msgspec.Meta(ge=0)]


class UnusableRulesError(UnusableError):
    """The file of rules, or one that it names, cannot be used; the message names file and field."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to tell whom of which figure."""

    name: _Name
    """It is known by this: with another name it begins anew."""
    figure: str
    window_minutes: _Minutes
    channels: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    shops: tuple[str, ...] = ()
    """None: all shops of the ledger."""
    above: _Threshold | None = None
    """A rate like ``"30%"``; seconds and counts as an integer."""
    below: _Threshold | None = None
    above_usual: str | None = None
    """By how much more than usual, like ``"50%"``."""
    below_usual: str | None = None
    least: Annotated[int, msgspec.Meta(ge=1)] = 10
    """With fewer cases in the window, or in the windows before, nothing changes. Not for counts."""
    delay_minutes: Annotated[int, msgspec.Meta(ge=0, le=_WEEK_MINUTES)] = 10
    """The window ends so long before the watermark: what has just begun has no reply yet."""

    @property
    def limit(self) -> tuple[Limit, Fraction]:
        """Return which limit it has, and the number: a rate, seconds, a count, or the share of usual."""
        ((which, given),) = ((one, found) for one in LIMITS if (found := getattr(self, one)) is not None)
        if isinstance(given, int):
            return which, Fraction(given)
        share = Fraction(given.removesuffix("%")) / 100
        return which, share


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rules."""

    channels: Annotated[dict[_Name, str], msgspec.Meta(min_length=1)]
    """By name, the file that holds its address."""
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1)]


def read_rules(file: Path) -> Rules:
    """Read and check a file of rules.

    Raises:
        UnusableRulesError: it cannot be read, or a field of it cannot be used.
    """
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Rules)
    except OSError as error:
        raise UnusableRulesError(f"{file}: cannot be read: {error.strerror or error}") from error
    except msgspec.ValidationError as error:
        said = _AT.match(str(error))
        assert said is not None
        where = f"{said[2]}: " if said[2] else ""
        raise UnusableRulesError(f"{file}: {where}{said[1][:1].lower()}{said[1][1:]}") from None
    except msgspec.DecodeError as error:
        raise UnusableRulesError(f"{file}: it is not JSON: {error}") from None
    names = Counter(rule.name for rule in found.rules)
    for number, rule in enumerate(found.rules):
        problem = _problem(rule, found)
        if problem is None and names[rule.name] > 1:
            problem = f"name: there are {names[rule.name]} rules named {rule.name!r}; each needs its own"
        if problem is not None:
            raise UnusableRulesError(f"{file}: rules[{number}].{problem}")
    return found


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
