"""``stream-attr replay``: what it leaves in its folder, however it ends, and what it says of it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.files.atomic import atomic_files

ORDER = (
    b'{"event_id": "e1", "shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "ts": 1793500000000,'
    b' "type": "paid", "created_ts": 1793500000000, "amount": 100}\n'
)
NAMES = {f"{name}.jsonl" for name in ("attribution-decisions", "attribution-comparisons", "dead-letters")}


def replay(orders: Path, out: Path) -> Result:
    return CliRunner().invoke(main, ["replay", "--orders", str(orders), "--out", str(out)])


def test_dead_letters_are_counted_by_code(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(b"{\n[]\n" + ORDER + b"{\n")
    done = replay(tmp_path / "orders.jsonl", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("2 attribution-decisions, ")
    assert " 0 " not in done.stderr
    assert done.stderr.endswith(f" 3 dead-letters (2 not_json, 1 not_an_object) in {tmp_path / 'out'}\n")
    left = {file.name for file in (tmp_path / "out").iterdir()}
    assert left >= NAMES
    assert {Path(name).suffix for name in left} == {".jsonl"}


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_is_refused_of_settings_and_roster_is_named_with_what_follows(
    tmp_path: Path, processes: str
) -> None:
    orders, settings, roster = (tmp_path / f"{name}.jsonl" for name in ("orders", "settings", "roster"))
    orders.write_bytes(ORDER)
    of = b'{"shop_id": "jd:1", "effective_from": "2026-01-01", '
    settings.write_bytes(of + b'"preset": "jd_offical"}\n')
    roster.write_bytes(of + b'"agent_id": "A", "role": "presale"}\n' + 12 * (of + b'"role": "presale"}\n'))
    files = ["--orders", orders, "--settings", settings, "--roster", roster]
    words = ["replay", *files, "--out", tmp_path / "out"]
    done = CliRunner().invoke(main, [*map(str, words), "--processes", processes])
    assert (done.exit_code, done.stdout) == (0, "")
    first, *others, more, summary = done.stderr.splitlines()
    assert first.startswith(f"Warning: {settings}, line 1: `preset` ")
    assert first.endswith(
        "; its shop is judged by its earlier settings, or by the defaults where it has none"
    )
    assert [line.partition(": Object missing required field `agent_id`")[0] for line in others] == [
        f"Warning: {roster}, line {number}" for number in range(2, 11)
    ]
    assert all(line.endswith("; all is judged as if the record were not there") for line in others)
    assert more == "Warning: 3 more of settings and roster are refused: see dead-letters"
    assert " 13 dead-letters (" in summary


@pytest.mark.parametrize("processes", ["1", "2"])
def test_one_that_breaks_off_leaves_what_was_there_before(tmp_path: Path, processes: str) -> None:
    out, orders = tmp_path / "out", tmp_path / "orders.jsonl.gz"
    orders.write_bytes(gzip.compress(ORDER))
    assert replay(orders, out).exit_code == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    orders.write_bytes(gzip.compress(ORDER + b"[]\n" * 20_000)[:-20])
    arguments = [
        "replay",
        "--orders",
        str(orders),
        "--out",
        str(out),
        "--processes",
        processes,
        "--overwrite",
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {orders}: cannot be read after line ")
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_a_folder_that_holds_results_is_refused_unless_they_are_to_be_overwritten(tmp_path: Path) -> None:
    out, orders = tmp_path / "out", tmp_path / "orders.jsonl"
    orders.write_bytes(ORDER)
    assert replay(orders, out).exit_code == 0
    (out / "notes.txt").write_text("mine")
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    orders.write_bytes(ORDER + b"{\n")
    again = replay(orders, out)
    assert again.exit_code == 2
    assert again.stderr.startswith(f"Error: {out} already holds results (attribution-decisions.jsonl, ")
    assert again.stderr.endswith("choose another folder with --out, or replace them with --overwrite\n")
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    arguments = ["replay", "--orders", str(orders), "--out", str(out), "--overwrite", "--decisions-only"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    left = {file.name for file in out.iterdir()}
    assert left >= NAMES | {"notes.txt"}
    assert "reception-facts.jsonl" not in left, "the reports of the run before do not go with these decisions"
    assert (out / "dead-letters.jsonl").read_bytes().count(b"not_json") == 1


def test_one_that_finds_no_file_makes_no_folder(tmp_path: Path) -> None:
    done = replay(tmp_path / "nothing.jsonl", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (
        2,
        f"Error: {tmp_path / 'nothing.jsonl'}: No such file or directory\n",
    )
    assert not (tmp_path / "out").exists()


def test_an_out_without_a_name_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(ORDER)
    done = CliRunner().invoke(main, ["replay", "--orders", str(tmp_path / "orders.jsonl"), "--out", ""])
    assert (done.exit_code, "Invalid value for '--out'" in done.stderr) == (2, True)


def test_files_take_their_places_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_files(tmp_path, ["a", "b"]):
        raise KeyboardInterrupt
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.jsonl": b"old"}
    with atomic_files(tmp_path, ["a", "b"]) as files:
        files["a"].write(b"new")
        assert (tmp_path / "a.jsonl").read_bytes() == b"old"
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "a.jsonl": b"new",
        "b.jsonl": b"",
    }


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(ORDER)
    (tmp_path / "out" / "dead-letters.jsonl.part").mkdir(parents=True)
    done = replay(tmp_path / "orders.jsonl", tmp_path / "out")
    assert done.exit_code == 2
    assert f"{tmp_path / 'out'}: cannot be written: Is a directory" in done.stderr


def test_what_its_memory_has_no_room_for_changes_nothing(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    arguments = ["generate", "--seed", "5", "--events", "4000", "--days", "4", "--out", str(sample)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    written = {}
    for name, words in (("by itself", []), ("least", ["--cache-mib=16"]), ("too little", ["--cache-mib=8"])):
        out = tmp_path / name
        files = [word for kind in ("chat", "orders") for word in (f"--{kind}", str(sample / f"{kind}.jsonl"))]
        done = CliRunner().invoke(main, ["replay", *files, "--out", str(out), *words])
        written[name] = done.exit_code, {file.name: file.read_bytes() for file in out.glob("*")}
    assert written["least"] == written["by itself"]
    assert written["too little"] == (2, {})
