"""Reading JSON-lines files."""

from __future__ import annotations

import gzip
import io
import sys

import pytest

from stream_attr.files.jsonl import Line, LinesFile, UnusableFileError


def read(path) -> list[Line]:
    with LinesFile(str(path)) as lines:
        return list(lines)


def test_lines_keep_their_bytes_and_their_numbers(tmp_path):
    file = tmp_path / "chat.jsonl"
    file.write_bytes(b'{"a": 1}\n\n  \nnot json \xff\n{"b": 2}\r\n{"last": true}')
    assert read(file) == [(1, b'{"a": 1}'), (4, b"not json \xff"), (5, b'{"b": 2}'), (6, b'{"last": true}')]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    file = tmp_path / "chat.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\xef\xbb\xbf{"b": 2}\n')
    assert read(file) == [(1, b'{"a": 1}'), (2, b'\xef\xbb\xbf{"b": 2}')]
    file.write_bytes(b"\xef\xbb\xbf\n")
    assert read(file) == []


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    assert read(tmp_path / "empty.jsonl") == []


def test_gz_is_unpacked(tmp_path):
    file = tmp_path / "chat.jsonl.gz"
    file.write_bytes(gzip.compress(b"{}\n[]\n"))
    assert read(file) == [(1, b"{}"), (2, b"[]")]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}\n")))
    assert read("-") == [(1, b"{}")]
    assert not sys.stdin.buffer.closed


def test_a_missing_file_is_known_before_it_is_read(tmp_path):
    with pytest.raises(UnusableFileError, match=r"nothing\.jsonl: No such file"):
        LinesFile(str(tmp_path / "nothing.jsonl"))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UnusableFileError, match="is a directory"):
        LinesFile(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"no gzip at all", id="no-gzip"),
        pytest.param(gzip.compress(b"{}\n" * 10_000)[:-20], id="cut-short"),
    ],
)
def test_a_broken_gz_is_named(tmp_path, content):
    file = tmp_path / "broken.jsonl.gz"
    file.write_bytes(content)
    with pytest.raises(UnusableFileError, match=r"broken\.jsonl\.gz: cannot be read after line \d+"):
        read(file)
