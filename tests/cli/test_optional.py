"""Modules of optional extras, which are imported by name: no type checker sees what commands take of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import stream_attr.cli

COMMANDS = sorted(Path(stream_attr.cli.__file__).parent.glob("*.py"))
PACKAGES = {"ledger_module": "stream_attr.ledger.", "optional_module": "stream_attr."}


def module_of(node: ast.AST) -> str | None:
    """The module that a call with a literal name imports."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(module)), *_]) if name in PACKAGES:
            return PACKAGES[name] + module
    return None


def taken(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, module and name of whatever a file of commands takes of a module so imported."""
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        held = {
            target.id: module
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and (module := module_of(node.value)) is not None
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute):
                of = node.value
                module = held.get(of.id) if isinstance(of, ast.Name) else module_of(of)
                if module is not None:
                    yield node.lineno, module, node.attr


def test_what_commands_take_of_optional_modules_is_found():
    assert sum(len(list(taken(path))) for path in COMMANDS) > 60


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_what_commands_take_of_optional_modules_is_there(path: Path):
    missing = [
        f"{path.name}:{line}: {module}.{name}"
        for line, module, name in taken(path)
        if not hasattr(import_module(module), name)
    ]
    assert missing == []
