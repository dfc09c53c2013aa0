"""``tests/generate/sample.sha256``: the digest of generated traffic, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from stream_attr.generate import Plan, write

_PLAN: Final = Plan(seed=5, events=3_000, days=3, end_ts=1_794_412_800_000, shops=3)


def files() -> Iterator[tuple[str, str]]:
    """Yield the file's path and text."""
    digest = hashlib.sha256()
    with TemporaryDirectory() as folder:
        write(_PLAN, Path(folder))
        for file in sorted(Path(folder).iterdir()):
            digest.update(file.read_bytes())
    yield "tests/generate/sample.sha256", f"{digest.hexdigest()}\n"
