"""The sentences of explanations: gettext catalogues in ``locale``, one for each language.

A message id is a key, the same in all catalogues; some end with a word of a record: ``outcome_credited``.
The catalogues are edited as ``explain.po``; ``make generate`` compiles them.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stream_attr.rules.vocabulary import BASES, CREDIT_RULES, DISCARD_REASONS, FILTERS, Word

__all__ = ["DOMAIN", "LANGUAGES", "LOCALE_DIRECTORY", "catalogue"]

DOMAIN = "explain"
LOCALE_DIRECTORY = Path(__file__).parent / "locale"
LANGUAGES = {"en": "en", "zh": "zh_CN"}
"""By the name of a language: the locale of its catalogue."""


_VOCABULARIES: Final[Mapping[str, Mapping[str, Word]]] = {
    "discard_": {**FILTERS, **DISCARD_REASONS},
    "credit_rule_": CREDIT_RULES,
    "credit_": BASES,
}
"""By the beginning of a key: the words that end it, and what each means."""


class _Words(gettext.NullTranslations):
    """The fallback of each catalogue: discarded receptions, credit rules and bases, by the vocabulary.

    Any other key that a catalogue does not have is an error, not a sentence.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def gettext(self, message: str) -> str:
        kind, word = next(
            ((kind, message.removeprefix(kind)) for kind in _VOCABULARIES if message.startswith(kind)),
            ("", ""),
        )
        row = _VOCABULARIES.get(kind, {}).get(word)
        if row is None:
            raise KeyError(message)
        if kind == "credit_":
            if self._language == "en":
                return f"{{agent}}, {row.meaning} ({row.chinese}). The rule is {{rule}}."
            return f"{{agent}}（{row.chinese}）。规则为{{rule}}。"
        if self._language == "en":
            return f"{word.replace('_', ' ')} ({row.chinese}), {row.meaning.replace('`', '')}"
        meaning = row.chinese_meaning
        return row.chinese if meaning is None else f"{row.chinese}，{meaning.replace('`', '')}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG002 -- gettext's signature
        raise KeyError(msgid1)


def catalogue(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language: ``en`` or ``zh``. Its methods raise KeyError for an unknown key."""
    found = gettext.translation(DOMAIN, LOCALE_DIRECTORY, [LANGUAGES[language]])
    found.add_fallback(_Words(language))
    return found
