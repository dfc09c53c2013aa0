"""Event files in a folder, and what ``explain`` writes of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson
from click.testing import CliRunner, Result

from stream_attr.cli import main
from tests.reference.shorthand import TODAY, Json


class Files:
    """Event files in a folder, and what ``explain`` writes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.options: list[str] = []

    def write(
        self,
        chat: Iterable[Json] = (),
        orders: Iterable[Json] = (),
        settings: Iterable[Json] = (),
        roster: Iterable[Json] = (),
    ) -> None:
        """Write what there is; the events of each file by their time."""
        kinds = {"chat": chat, "orders": orders, "settings": settings, "roster": roster}
        for name, some in kinds.items():
            records = sorted(some, key=lambda one: one.get("ts", 0))
            if records:
                path = self.folder / f"{name}.jsonl"
                path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in records))
                self.options += [f"--{name}", str(path)]

    def explain(self, *more: str, day: str = TODAY, buyer: str = "b-1") -> Result:
        """Ask about a buyer's day by the events."""
        return run("explain", "jd:1", "--buyer", buyer, "--day", day, *self.options, *more)

    def explained(self, *more: str, **whose: str) -> str:
        """The explanation, which must be consistent."""
        result = self.explain(*more, **whose)
        assert result.exit_code == 0, result.output
        return result.stdout

    def replayed(self, *more: str) -> Path:
        """Replay the events, and return the output directory."""
        out = self.folder / "out"
        assert run("replay", *self.options, "--out", str(out), *more).exit_code == 0
        return out


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)
