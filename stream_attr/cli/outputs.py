"""Files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_files"]


@contextmanager
def whole_files(folder: Path, names: Iterable[str]) -> Iterator[dict[str, BinaryIO]]:
    """Open ``NAME.jsonl`` in a folder for every name; they take their places when the block ends well.

    Until then they have other names; where it ends otherwise they are removed, and what stood in their places
    before stays as it was. A folder made for them goes with them. Raises OSError where it cannot be written.
    """
    parts = {name: folder / f"{name}.jsonl.part" for name in names}
    with ExitStack() as undo:
        if not folder.exists():
            undo.callback(_remove_empty, folder)
        folder.mkdir(parents=True, exist_ok=True)
        for part in parts.values():
            undo.callback(part.unlink, missing_ok=True)
        with ExitStack() as opened:
            yield {name: opened.enter_context(part.open("wb")) for name, part in parts.items()}
        for part in parts.values():
            part.replace(part.with_suffix(""))
        undo.pop_all()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
