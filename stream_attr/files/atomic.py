"""Output files that appear together when all of them are complete, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stream_attr.files.jsonl import UnusableFileError

__all__ = ["atomic_files"]


@contextmanager
def atomic_files(folder: Path, names: Iterable[str]) -> Iterator[dict[str, BinaryIO]]:
    """Open ``NAME.jsonl.part`` in a folder for every name; rename all to ``NAME.jsonl`` after the block.

    When the block fails, the temporary files are removed, and files that had the final names before stay as
    they were. A folder created here is removed too.

    Raises:
        UnusableFileError: the folder or a file cannot be written (OSError within the block counts as that).
    """
    parts = {name: folder / f"{name}.jsonl.part" for name in names}
    try:
        with ExitStack() as undo:
            if not folder.exists():
                undo.callback(_remove_empty, folder)
            folder.mkdir(parents=True, exist_ok=True)
            for part in parts.values():
                undo.callback(_remove, part)
            with ExitStack() as opened:
                yield {name: opened.enter_context(part.open("wb")) for name, part in parts.items()}
            for part in parts.values():
                part.replace(part.with_suffix(""))
            undo.pop_all()
    except OSError as error:
        raise UnusableFileError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
