"""The files of ``deploy/`` as data, and what of the program they have to agree with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from stream_attr.cli import main

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


class _Loader(yaml.SafeLoader):
    """Refuses what YAML itself refuses and PyYAML does not: a key that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    with path.open(encoding="utf-8") as file:
        return list(yaml.load_all(file, _Loader))


def document(path: Path) -> dict[str, Any]:
    """The only document of a YAML file."""
    [only] = documents(path)
    return only


def with_defaults(value: Any) -> Any:
    """The data of a Compose file with every ``${NAME:-default}`` replaced: no variable is set."""
    if isinstance(value, dict):
        return {name: with_defaults(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_defaults(inner) for inner in value]
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) if isinstance(value, str) else value


def command_of(words: Sequence[str]) -> click.Command:
    """The command that words call, with options that it has and values that it takes.

    Raises:
        click.UsageError: it has not, or does not.
    """
    left = list(words)
    found: click.Command = main
    while isinstance(found, click.Group) and not left[0].startswith("-"):  # a group that runs itself
        context = click.Context(found)
        name = left.pop(0)
        inner = found.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no command {name}")
        found = inner
    with found.make_context(found.name, left):
        return found


def variables_of(command: click.Command) -> set[str]:
    """Variables of the environment that a command looks at."""
    return {str(param.envvar) for param in command.params if param.envvar}


def option(words: Sequence[str], name: str) -> str | None:
    """The value of an option, as ``--name=value`` or ``--name value``."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.removeprefix(f"{name}=")
    return None


def queries(value: Any) -> Iterator[str]:
    """Every ``expr`` of alerts or of a dashboard, at whatever depth."""
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        for inner in value.values():
            yield from queries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from queries(inner)
