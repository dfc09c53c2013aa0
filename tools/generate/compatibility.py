"""Changes of a schema that break those who read or write its records.

Of a record that the product writes, readers break where a field is gone or need not be there any more, or
where it may now be what it could not be before. Of a record that the product reads, writers break where a
field is newly required or ignored, or where what was accepted is refused. A new word in an output is named
too: a reader that switches on it needs a new branch.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_CONDITIONS: Final = ("if", "then", "else", "allOf", "oneOf", "anyOf", "not", "pattern")


def changes_since(ref: str, root: Path) -> list[str]:
    """Return a line per breaking change of the schemas in a checkout since a commit.

    Raises:
        subprocess.CalledProcessError: Git does not know the commit, or there is no repository.
    """
    listed = _git(root, "ls-tree", "--name-only", ref, "schemas/")
    found = []
    for path in sorted(line for line in listed.splitlines() if line.endswith(".schema.json")):
        before = json.loads(_git(root, "show", f"{ref}:{path}"))
        file = root / path
        if file.exists():
            after = json.loads(file.read_text(encoding="utf-8"))
            found += [f"{path}: {change}" for change in breaking(before, after)]
        else:
            found.append(f"{path}: the record type is gone")
    return found


def breaking(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what of a schema's change breaks readers of an output, or writers of an input."""
    return list(_compared(before, after, "", output=before.get("additionalProperties") is False))


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def _compared(before: dict[str, Any], after: dict[str, Any], path: str, *, output: bool) -> Iterator[str]:
    here = path or "the record"
    yield from _types(before, after, here, output=output)
    yield from _words(before, after, here, output=output)
    yield from _bounds(before, after, here, output=output)
    for name in _CONDITIONS:
        if before.get(name) != after.get(name):
            yield f"{here}: look at its condition `{name}`, which is another"
    required, was_required = set(after.get("required", ())), set(before.get("required", ()))
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in old:
        inner = f"{path}.{name}".lstrip(".")
        if name not in new:
            yield f"{inner}: the field is gone"
            continue
        if output and name in was_required - required:
            yield f"{inner}: the field may be left out now"
        if not output and name in required - was_required:
            yield f"{inner}: the field is required now"
        yield from _compared(old[name], new[name], inner, output=output)
    for name in new.keys() - old.keys():
        if not output and name in required:
            yield f"{f'{path}.{name}'.lstrip('.')}: the new field is required"
    if "items" in before and "items" in after:
        yield from _compared(before["items"], after["items"], f"{path}[]", output=output)
    for name, definition in before.get("$defs", {}).items():
        yield from _compared(definition, after.get("$defs", {}).get(name, {}), path, output=output)


def _types(before: dict[str, Any], after: dict[str, Any], here: str, *, output: bool) -> Iterator[str]:
    old, new = _as_set(before.get("type")), _as_set(after.get("type"))
    if "integer" in old and "number" in new:
        old |= {"number"} if not output else set()
    if output and old:
        more = new - old or ({"anything"} if not new and "enum" not in after else set())
        if more:
            yield f"{here}: it may be {', '.join(sorted(more))} now"
    if not output and new:
        gone = old - new or ({"anything else"} if not old and "enum" not in before else set())
        if gone:
            yield f"{here}: it may not be {', '.join(sorted(gone))} any more"


def _words(before: dict[str, Any], after: dict[str, Any], here: str, *, output: bool) -> Iterator[str]:
    if "const" in before or "const" in after:
        if before.get("const") != after.get("const"):
            yield f"{here}: its only value is another"
        return
    old, new = before.get("enum"), after.get("enum")
    if old is None or new is None:
        if output and old is not None:
            yield f"{here}: it may be any word now"
        if not output and new is not None:
            yield f"{here}: it is one of a list now"
        return
    if output and (more := [word for word in new if word not in old]):
        yield f"{here}: new {_listed(more)}; readers that switch on it need a branch"
    if not output and (gone := [word for word in old if word not in new]):
        yield f"{here}: {_listed(gone)} is refused now"


def _bounds(before: dict[str, Any], after: dict[str, Any], here: str, *, output: bool) -> Iterator[str]:
    for names, sign in ((_LOWER, 1), (_UPPER, -1)):
        for name in names:
            old, new = before.get(name), after.get(name)
            if old == new:
                continue
            # Tighter: a bound that is new, or a higher lower one, or a lower upper one.
            tighter = new is not None and (old is None or sign * (new - old) > 0)
            if tighter is not output:
                was = "none" if old is None else old
                yield f"{here}: {name} is {'gone' if new is None else new}, it was {was}"


def _as_set(types: str | list[str] | None) -> set[str]:
    return set() if types is None else {types} if isinstance(types, str) else set(types)


def _listed(words: list[Any]) -> str:
    return ", ".join("null" if word is None else f"`{word}`" for word in words)
