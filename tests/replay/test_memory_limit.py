"""How much memory a replay takes the machine to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_attr.replay.memory_limit import memory_limit_mib


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"memory.max": "max\n"}, None),
        ({"memory.max": f"{48 << 20}\n"}, 48),
        ({"shop/memory.max": f"{40 << 20}\n", "memory.max": f"{48 << 20}\n"}, 40),
        ({"shop/nightly/memory.max": "max\n", "shop/memory.max": f"{40 << 20}\n"}, 40),
        ({"other/memory.max": f"{40 << 20}\n"}, None),
        ({"memory/memory.limit_in_bytes": f"{48 << 20}\n"}, 48),
        ({"memory/memory.limit_in_bytes": f"{(1 << 63) - 4096}\n"}, None),
    ],
)
def test_what_a_container_may_use_counts_where_it_is_less_than_the_machine_has(
    tmp_path: Path, limits: dict[str, str], expected: int | None
) -> None:
    machine = memory_limit_mib(tmp_path)
    assert machine > 48
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/shop/nightly\n")
    for name, said in limits.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said)
    assert memory_limit_mib(tmp_path) == (machine if expected is None else expected)
