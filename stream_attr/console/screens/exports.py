"""Reports as files: whole, in the order and rounding of the screen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from stream_attr.console.visit import Visit
from stream_attr.ledger.formats.output import WRITERS
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.report import Report

__all__ = ["EXPORTS", "file_of"]

EXPORTS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
_CHUNK: Final = 64 * 1024
_IN_MEMORY: Final = 1024 * 1024


def file_of(visit: Visit, report: Report, format_: str, shop_id: str, period: Period) -> Response:
    """Return the whole report as a file; who took it is in the audit. Raises HTTPException, 400."""
    if format_ not in EXPORTS:
        raise HTTPException(400, f"format={format_}: write one of {', '.join(EXPORTS)}")
    file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- closed once it is sent
    WRITERS[format_](report, visit.language, file)
    file.seek(0)
    days = period.name.replace(" ", "").replace("\N{EN DASH}", "_")
    asked = " ".join(f"{name}={value}" for name, value in visit.asked.pairs if value and name != "shop")
    visit.note("export", shop_id, f"{report.name} {days} {asked}".rstrip())
    return StreamingResponse(
        _chunks(file),
        media_type=EXPORTS[format_],
        headers={"Content-Disposition": f'attachment; filename="{report.name}_{days}.{format_}"'},
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with closing(file):
        while chunk := file.read(_CHUNK):
            yield chunk
