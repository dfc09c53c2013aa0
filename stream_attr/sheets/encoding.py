"""In which encoding and with which separator a CSV file is written, by its bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stream_attr.sheets.places import SheetError

__all__ = ["encoding_of", "separator_of"]

_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_SEPARATORS: Final = (",", "\t", ";")
_SAVE_AGAIN: Final = "export it again, or save it in a spreadsheet as CSV UTF-8 or xlsx"


def encoding_of(path: Path) -> str:
    """Return ``utf-8-sig``, of files with and without a byte order mark, or ``gb18030``, which holds GBK.

    Reads the file once, in pieces.

    Raises:
        SheetError: it is neither.
        OSError: it cannot be read.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    gb = codecs.getincrementaldecoder("gb18030")()
    is_utf8 = is_gb = True
    with_mark = False
    for number, (chunk, is_last) in enumerate(_chunks(path)):
        if number == 0:
            if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise SheetError(f"{path}: it is written in UTF-16: {_SAVE_AGAIN}")
            with_mark = chunk.startswith(codecs.BOM_UTF8)
        if b"\0" in chunk:
            raise SheetError(f"{path}: it is no text, as it has bytes of 0: {_SAVE_AGAIN}")
        is_utf8 = is_utf8 and _decodes(utf8, chunk, is_last)
        is_gb = is_gb and not with_mark and _decodes(gb, chunk, is_last)
        if not (is_utf8 or is_gb):
            what = "it begins as UTF-8, and goes on as something else" if with_mark else "it is neither UTF-8"
            raise SheetError(f"{path}: {what}{'' if with_mark else ' nor GB18030'}: {_SAVE_AGAIN}")
    return "utf-8-sig" if is_utf8 else "gb18030"


def _chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        chunk = file.read(_CHUNK)
        while True:
            following = file.read(_CHUNK)
            yield chunk, not following
            if not following:
                return
            chunk = following


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, is_last: bool) -> bool:
    try:
        decoder.decode(chunk, is_last)
    except UnicodeDecodeError:
        return False
    return True


def separator_of(path: Path, encoding: str) -> str:
    """Return what separates the cells: comma, tab or semicolon, whichever is most frequent at the beginning.

    Raises OSError where it cannot be read.
    """
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(_SAMPLE)
    return max(_SEPARATORS, key=sample.count)
