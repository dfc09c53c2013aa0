"""Files of reports: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from stream_attr.files.jsonl import UnusableFileError
from stream_attr.ledger.formats import csv_text, html_page, json_text, parquet_file, xlsx_book
from stream_attr.ledger.formats.screen import lines_of
from stream_attr.ledger.reports.report import Report

__all__ = ["WRITERS", "complete_file"]


def _table(report: Report, language: str, out: BinaryIO) -> None:
    out.writelines(f"{line}\n".encode(errors="backslashreplace") for line in lines_of(report, language, None))


WRITERS: Final[Mapping[str, Callable[[Report, str, BinaryIO], None]]] = {
    "table": _table,
    "csv": csv_text.write,
    "xlsx": xlsx_book.write,
    "json": json_text.write,
    "html": html_page.write,
    "parquet": parquet_file.write,
}
"""By format: what writes a report in a language."""


@contextmanager
def complete_file(path: Path) -> Iterator[BinaryIO]:
    """Open ``NAME.part`` and rename it after the block; where that fails, what was there stays.

    Raises:
        UnusableFileError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        try:
            with part.open("wb") as out:
                yield out
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise UnusableFileError(f"{path}: cannot be written: {error.strerror or error}") from error
