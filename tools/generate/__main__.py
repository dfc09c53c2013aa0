"""See the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.generate import schemas, tables, topics

ROOT = Path(__file__).parents[2]


def generated() -> dict[str, str]:
    """Every generated file's text, by path from the root of the repository."""
    return dict([*topics.files(), *schemas.files(), *tables.files(ROOT)])


def main() -> int:
    """Write what differs, or with ``--check`` name it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something differs")
    check = parser.parse_args().check
    stale = {path: text for path, text in generated().items() if _text(path) != text}
    for path, text in stale.items():
        if check:
            print(f"{path} differs from what it is generated from: run make generate", file=sys.stderr)
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 1 if check and stale else 0


def _text(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main())
