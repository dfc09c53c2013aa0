"""See the package."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.generate import topics
from tools.generate.compatibility import changes_since

ROOT = Path(__file__).parents[2]


def generated() -> dict[str, str]:
    """Every generated file's text, by path from the root of the repository."""
    # They import what uses the names of the topics, which `main` has brought up to date by now.
    from tools.generate import examples, new_fields, sample, schemas, tables  # noqa: PLC0415

    return dict(
        [
            *topics.files(),
            *schemas.files(),
            *tables.files(ROOT),
            *examples.files(ROOT),
            *new_fields.files(ROOT),
            *sample.files(),
        ]
    )


def main() -> int:
    """Write what differs, or with ``--check`` name it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something differs")
    parser.add_argument(
        "--against", metavar="REF", default="HEAD", help="commit whose schemas readers know  [default: HEAD]"
    )
    arguments = parser.parse_args()
    check = arguments.check
    stale = _stale(topics.files(), check=check)
    if not (check and stale):
        stale = _stale(generated().items(), check=check)
    try:
        changes = changes_since(arguments.against, ROOT)
    except (OSError, subprocess.CalledProcessError):
        changes = []  # an export without its history
        print(f"schemas are not compared: Git does not show {arguments.against}", file=sys.stderr)
    for change in changes:
        print(f"readers or writers are affected, and CHANGELOG.md needs an entry: {change}", file=sys.stderr)
    return 1 if check and stale else 0


def _stale(files: Iterable[tuple[str, str]], *, check: bool) -> bool:
    """Write the files that differ, or with ``check`` name them; return whether any did."""
    stale = {path: text for path, text in files if _text(path) != text}
    for path, text in stale.items():
        if check:
            print(f"{path} differs from what it is generated from: run make generate", file=sys.stderr)
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return bool(stale)


def _text(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main())
