"""Numbers as a pay scheme writes them: exact, and never a float (docs/pay.md).

Each class reads what JSON holds and raises ValueError, in half a sentence, for anything else.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from stream_attr.contract.records.fields import MAX_AMOUNT

_UP_TO_100: Final = r"(?:100(?:\.0{1,6})?|[1-9]?[0-9](?:\.[0-9]{1,6})?)%"
_UP_TO_1000: Final = r"(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,6})?%"
_DECIMAL: Final = r"(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6}"


class Written(Fraction):
    """A number of a scheme; calculating with it gives a plain fraction."""

    schema: ClassVar[dict[str, Any]]
    """What JSON may hold."""
    written: int | str
    """As JSON holds it."""

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the number that JSON holds; raise ValueError unless it is one of this kind."""
        raise NotImplementedError

    @classmethod
    def _made(cls, value: Fraction, written: int | str) -> Self:
        made = cls(value)
        made.written = written
        return made


class Share(Written):
    """A percentage from 0 % to 100 %."""

    schema: ClassVar = {"type": "string", "pattern": f"^{_UP_TO_100}$"}
    _form: ClassVar = re.compile(_UP_TO_100, re.ASCII)
    _example: ClassVar = 'a percentage from 0% to 100% as text, such as "0.8%", with at most six decimals'

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the percentage of a text such as ``0.8%``."""
        if not isinstance(raw, str) or not cls._form.fullmatch(raw):
            raise ValueError(f"is {_shown(raw)}, not {cls._example}")
        return cls._made(Fraction(raw[:-1]) / 100, raw)


class Percent(Share):
    """A percentage that may be above 100 %."""

    schema: ClassVar = {"type": "string", "pattern": f"^{_UP_TO_1000}$"}
    _form: ClassVar = re.compile(_UP_TO_1000, re.ASCII)
    _example: ClassVar = 'a percentage below 1000% as text, such as "120%", with at most six decimals'


class Bound(Written):
    """What a figure is compared with: an integer; of a rate a percentage, of a ratio a decimal number."""

    schema: ClassVar = {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_AMOUNT},
            {"type": "string", "pattern": f"^(?:{_UP_TO_1000}|{_DECIMAL})$"},
        ]
    }

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the number of an integer, or of a text such as ``35%`` or ``1.75``."""
        if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= MAX_AMOUNT:
            return cls._made(Fraction(raw), raw)
        if isinstance(raw, str) and re.fullmatch(_UP_TO_1000, raw, re.ASCII):
            return cls._made(Fraction(raw[:-1]) / 100, raw)
        if isinstance(raw, str) and re.fullmatch(_DECIMAL, raw, re.ASCII):
            return cls._made(Fraction(raw), raw)
        raise ValueError(
            f'is {_shown(raw)}, not an integer from 0, nor a percentage or decimal as text, "35%" or "1.75"'
        )


def _shown(raw: object) -> str:
    shown = json.dumps(raw, ensure_ascii=False)
    return f"{shown[:39]}…" if len(shown) > 40 else shown
