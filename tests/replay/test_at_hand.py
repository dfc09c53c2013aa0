"""How much memory a replay takes the machine to have."""

from __future__ import annotations

from pathlib import Path

from stream_attr.replay.at_hand import memory_at_hand_mib


def test_what_a_container_may_use_counts_where_it_is_less_than_the_machine_has(tmp_path: Path) -> None:
    machine = memory_at_hand_mib(())
    limit = tmp_path / "memory.max"
    for said, expected in (("max\n", machine), (f"{48 << 20}\n", 48), (f"{1 << 62}\n", machine)):
        limit.write_text(said)
        assert memory_at_hand_mib((str(tmp_path / "none"), str(limit))) == expected
    assert machine > 48
