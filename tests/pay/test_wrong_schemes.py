"""A scheme that is wrong anywhere, in any way, is one sentence with the path of what is wrong."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream_attr.contract.registry import record_schema, schemas
from stream_attr.pay.reading import WrongSchemeError, encode_scheme, read_scheme
from tests.pay.schemes import FIGURES

EXAMPLES = Path(str(schemas())) / "examples" / "pay-scheme"
PASSING = sorted(EXAMPLES.glob("*.pass.json"))
FAILING = sorted(EXAMPLES.glob("*.fail.json"))
EVERYTHING = json.loads((EXAMPLES / "everything.pass.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(record_schema("pay-scheme"))
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**60,
    "",
    "x",
    "X y",
    "5%\n",
    "1e3%",
    "-5%",
    [],
    {},
    [None],
)


def name_of(path: Path) -> str:
    return path.stem


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, as keys and indexes."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += places(one, (*path, key))
    return found


def written(place: tuple[Any, ...]) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).removeprefix(".")


def changed(place: tuple[Any, ...], change: Any) -> Any:
    document = copy.deepcopy(EVERYTHING)
    owner = document
    for key in place[:-1]:
        owner = owner[key]
    change(owner, place[-1])
    return document


def is_valid(document: Any, place: tuple[Any, ...]) -> bool:
    """Whether the schema accepts a document that was changed at a place; of components that one alone."""
    if place[0] == "components" and len(place) > 1:
        document = {**document, "components": [document["components"][place[1]]]}
    valid: bool = VALIDATOR.is_valid(document)
    return valid


def refusal(document: Any) -> WrongSchemeError | None:
    try:
        read_scheme(json.dumps(document, ensure_ascii=False).encode(), FIGURES)
    except WrongSchemeError as error:
        return error
    return None


def assert_is_a_sentence(error: WrongSchemeError) -> None:
    """It begins with its path, and says more than that on one line."""
    assert error.field is not None
    text = str(error)
    assert text.startswith(f"`{error.field}` ")
    assert text.isprintable()
    assert re.fullmatch(r"`[^`]+` (?:is|must|has|changes|does|picks) \S.{8,}", text), text
    assert not text.endswith((".", ":", " "))
    assert len(text) < 400


@pytest.mark.parametrize("path", PASSING, ids=name_of)
def test_what_passes_is_read_and_written_as_it_was(path):
    document = json.loads(path.read_bytes())
    scheme = read_scheme(path.read_bytes(), FIGURES)
    assert read_scheme(encode_scheme(scheme), FIGURES) == scheme
    assert holds(json.loads(encode_scheme(scheme)), document)


def holds(after: Any, before: Any) -> bool:
    """Whether all of a document is there; fields that were left out may have their defaults."""
    if isinstance(before, dict):
        return all(holds(after[name], value) for name, value in before.items())
    if isinstance(before, list):
        return len(after) == len(before) and all(map(holds, after, before))
    return bool(after == before)


@pytest.mark.parametrize("path", FAILING, ids=name_of)
def test_what_fails_says_why(path):
    example = json.loads(path.read_bytes())
    error = refusal(example["record"])
    assert error is not None
    assert (error.field, str(error)) == (example["field"], example["why"])
    assert_is_a_sentence(error)


def test_the_example_of_everything_has_every_field():
    def fields(schema: Any) -> set[str]:
        found = set()
        for name, one in schema.get("properties", {}).items():
            found |= {name, *fields(one)}
        for one in (*[schema[name] for name in ("items",) if name in schema], *schema.get("oneOf", ())):
            found |= fields(one)
        return found

    there = {part for place in places(EVERYTHING) for part in place if isinstance(part, str)}
    assert fields(record_schema("pay-scheme")) == there


@pytest.mark.parametrize("place", places(EVERYTHING), ids=written)
def test_a_field_that_is_wrong_is_named(place):
    for value in WRONG:
        document = changed(place, lambda owner, key, value=value: owner.__setitem__(key, value))
        error = refusal(document)
        if is_valid(document, place):
            if error is not None:  # it does not go with another field
                assert_is_a_sentence(error)
            continue
        assert error is not None, value
        assert_is_a_sentence(error)
        assert error.field is not None
        there = written(place)
        assert error.field == there or error.field.startswith((f"{there}.", f"{there}[")), (value, str(error))


@pytest.mark.parametrize(
    "place", [one for one in places(EVERYTHING) if isinstance(one[-1], str)], ids=written
)
def test_a_field_that_is_missing_or_misspelt_is_named(place):
    without = changed(place, lambda owner, key: owner.pop(key))
    error = refusal(without)
    if not is_valid(without, place):
        assert error is not None
        assert error.field == written(place) or place[-1] in ("by", "tiers", "kind")
    if error is not None:
        assert_is_a_sentence(error)
    misspelt = changed(place, lambda owner, key: owner.__setitem__(f"{key}s", owner[key]))
    error = refusal(misspelt)
    assert error is not None
    assert error.field == f"{written(place)}s"
    assert_is_a_sentence(error)
    assert place[-1] in str(error).partition("here may be ")[2].split(", ")


@pytest.mark.parametrize("value", [*WRONG, [{}], {"kind": "bonus"}, {"kind": 7}])
def test_a_component_that_is_none_is_named(value):
    document = {**EVERYTHING, "components": [value]}
    error = refusal(document)
    assert error is not None
    assert_is_a_sentence(error)
    assert error.field is not None
    assert error.field.startswith("components[0]")


@pytest.mark.parametrize(
    "name",
    [
        "components.x",
        "components[9].kind",
        "components[0]",
        "a\nb",
        "a.b",
        "[",
        "",
        "x" * 400,
        "备注",
        "\u2028",
    ],
)
def test_an_unknown_field_of_any_name_is_named_on_one_line(name):
    for document in (
        {**EVERYTHING, name: 1},
        {**EVERYTHING, "components": [{**EVERYTHING["components"][0], name: 1}]},
    ):
        error = refusal(document)
        assert error is not None
        assert re.search("is not a field|unknown field", str(error))
        assert str(error).isprintable()
        assert len(str(error)) < 800


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"scheme_id": "\\ud83d"}', "lone surrogate"),
        (b"[" * 500 + b"]" * 500, "nested"),
        (b" " * 300_000, "more than the"),
    ],
)
def test_what_is_no_document_is_said_to_be_none(text, said):
    with pytest.raises(WrongSchemeError) as raised:
        read_scheme(text, FIGURES)
    assert raised.value.field is None
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
