"""Texts of reports in both languages, beside each other where they are used: neither can be forgotten."""

from __future__ import annotations

from typing import Final, NamedTuple

LANGUAGES: Final = ("en", "zh")


class Text(NamedTuple):
    """One text in English and Chinese."""

    english: str
    chinese: str

    def of(self, language: str) -> str:
        """Return the text in a language: ``en`` or ``zh``."""
        return self.chinese if language == "zh" else self.english

    def filled(self, **values: object) -> Text:
        """Return it with its placeholders filled in; a value that is a ``Text`` in the same language."""
        return Text(
            *(
                text.format(
                    **{
                        name: value[index] if isinstance(value, Text) else value
                        for name, value in values.items()
                    }
                )
                for index, text in enumerate(self)
            )
        )


def word(key: str, chinese: str) -> Text:
    """Return a word of a record: in English as the record has it."""
    return Text(key, chinese)
