"""The catalogues: compiled as edited, the same messages in each language, a message for each word."""

from __future__ import annotations

import gettext
import string
import subprocess
import sys
from typing import Any

import pytest
from babel.messages.pofile import read_po

from stream_attr.explain.messages import DOMAIN, LANGUAGES, LOCALE_DIRECTORY, _Words, catalogue
from stream_attr.rules.vocabulary import (
    ASSIST_KINDS,
    BASES,
    CREDIT_RULES,
    DISCARD_REASONS,
    FILTERS,
    NOTICES,
    OUTCOMES,
    ROLES,
)

COMPILE = "run 'make generate', which compiles the catalogues"


def edited(language: str) -> dict[str, tuple[str, ...]]:
    """The sentences of a catalogue as edited, by key; several are plural forms."""
    path = LOCALE_DIRECTORY / LANGUAGES[language] / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as lines:
        messages = read_po(lines, locale=LANGUAGES[language], abort_invalid=True)
    found = {}
    for message in messages:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return found


def compiled(language: str) -> dict[str, Any]:
    path = LOCALE_DIRECTORY / LANGUAGES[language] / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with path.open("rb") as file:
        found: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: sentence for key, sentence in found.items() if key}


def placeholders(sentences: tuple[str, ...]) -> set[str | None]:
    return {name for one in sentences for _, name, _, _ in string.Formatter().parse(one)} - {None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_edited_one(language: str) -> None:
    expected: dict[Any, str] = {}
    plurals = {key for key, sentences in edited("en").items() if len(sentences) > 1}
    for key, sentences in edited(language).items():
        expected |= (
            {(key, n): one for n, one in enumerate(sentences)} if key in plurals else {key: sentences[0]}
        )
    assert compiled(language) == expected, COMPILE


def test_all_languages_have_the_same_messages_and_placeholders() -> None:
    english = {key: placeholders(sentences) for key, sentences in edited("en").items()}
    for language in LANGUAGES:
        assert {key: placeholders(sentences) for key, sentences in edited(language).items()} == english
        assert all(all(sentences) for sentences in edited(language).values())


@pytest.mark.parametrize(("n", "english"), [(0, "0 rounds"), (1, "1 round"), (2, "2 rounds")])
def test_plural_forms(n: int, english: str) -> None:
    assert catalogue("en").ngettext("rounds", "rounds", n).format(n=n) == f"{english} (回合)"
    assert catalogue("zh").ngettext("rounds", "rounds", n).format(n=n) == f"{n} 回合"


def test_an_unknown_key_is_an_error() -> None:
    for language in LANGUAGES:
        with pytest.raises(KeyError):
            catalogue(language).gettext("no_such_key")
        with pytest.raises(KeyError):
            catalogue(language).ngettext("no_such_key", "no_such_key", 1)


def test_a_worker_loads_nothing_of_explanations() -> None:
    modules = "{name.split('.')[0] for name in sys.modules} | {name[:19] for name in sys.modules}"
    unwanted = "{'iso4217', 'babel', 'stream_attr.explain'}"
    program = f"import sys, stream_attr.cli.worker; print(*({modules}) & {unwanted})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_every_word_that_needs_a_sentence_has_one() -> None:
    keys = edited("en").keys()
    words = [f"role_{role}" for role in ROLES]
    words += [f"verdict_{outcome}" for outcome in OUTCOMES]
    words += [f"assist_{kind}" for kind in ASSIST_KINDS]
    words += [f"notice_{notice}" for notice in NOTICES]
    assert set(words) <= keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_discarded_reception_has_a_sentence(language: str) -> None:
    words = catalogue(language)
    for one in (*DISCARD_REASONS, *FILTERS):
        assert words.gettext(f"discard_{one}")
    without = _Words(language).gettext("discard_forwarded")
    assert "转发" in without
    assert "max_replies" in without


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_credit_rule_has_a_sentence(language: str) -> None:
    words = catalogue(language)
    for rule, row in CREDIT_RULES.items():
        assert row.chinese in words.gettext(f"credit_rule_{rule}")
        assert row.chinese in _Words(language).gettext(f"credit_rule_{rule}")


def test_a_basis_without_a_sentence_of_its_own_is_told_by_the_vocabulary() -> None:
    assert all(catalogue(language).gettext(f"credit_{basis}") for basis in BASES for language in LANGUAGES)
    english, chinese = (_Words(language).gettext("credit_placing") for language in ("en", "zh"))
    assert english == "{agent}, as placing agent (落实下单). The rule is {rule}."
    assert chinese == "{agent}（落实下单）。规则为{rule}。"
