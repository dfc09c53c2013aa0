"""``stream-attr report save``: what is kept by a name is shown by it, with all its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from tests.ledger.reports.conftest import Traffic

ASKED = ("--shop", "jd:10086", "--from", "2026-11-09", "--to", "2026-11-11")


def report(database: Database, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments), "--database", database.address])


def test_a_saved_report_is_the_report(middle: Traffic, tmp_path: Path) -> None:
    options = (
        *ASKED, "--by", "agent", "day", "--figures", "sales.amount,首次响应", "--agent", "kf-03", "kf-05",
        "--lang", "zh", "--format", "json",
    )  # fmt: skip
    done = report(middle.database, "save", "华东 周报", "agents", *options)
    assert (done.exit_code, done.stdout) == (0, "")
    plain = report(middle.database, "agents", *options)
    assert json.loads(plain.stdout)["rows"]
    used = report(middle.database, "use", "华东 周报")
    assert used.stdout == plain.stdout
    other = ("--from", "2026-11-10", "--to=2026-11-10", "--agent", "kf-03", "--format", "csv")
    used = report(middle.database, "use", "华东 周报", *other)
    expected = report(
        middle.database, "agents", "--shop", "jd:10086", "--by", "agent", "day", "--figures",
        "sales.amount,首次响应", "--lang", "zh", *other,
    )  # fmt: skip
    assert used.stdout == expected.stdout
    assert used.stdout.count("\n") == 2
    file = tmp_path / "week.xlsx"
    used = report(middle.database, "use", "华东 周报", "--format", "xlsx", "--out", file)
    assert (used.exit_code, used.stdout) == (0, "")
    assert file.stat().st_size > 1_000


def test_a_file_is_kept_and_another_takes_its_place(middle: Traffic, tmp_path: Path) -> None:
    sheets = [tmp_path / "first.csv", tmp_path / "second sheet.csv"]
    for sheet, days in zip(sheets, (ASKED, (*ASKED[:4], "--to", "2026-11-09")), strict=True):
        assert report(middle.database, "orders", *days, "--format", "csv", "--out", sheet).exit_code == 0
    maps = ("--map", "order=order", "amount=amount", "paid=paid")
    done = report(middle.database, "save", "jd", "reconcile", sheets[0], *maps, *ASKED)
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    for given, sheet in (((), sheets[0]), (sheets[1:], sheets[1])):
        used = report(middle.database, "use", "jd", *given, "--result", "matched", "only_here")
        expected = report(
            middle.database, "reconcile", sheet, *maps, *ASKED, "--result", "matched", "only_here"
        )
        assert (used.exit_code, used.stdout) == (0, expected.stdout), used.stderr
        assert sheet.name in used.stdout
    assert report(middle.database, "delete", "jd").exit_code == 0


def test_saved_reports_are_listed_replaced_and_deleted(ledger: Database, middle: Traffic) -> None:
    assert report(middle.database, "save", "b", "pressure", *ASKED, "--capacity", 3).exit_code == 0
    assert report(middle.database, "save", "a", "sales", *ASKED).exit_code == 0
    assert report(middle.database, "save", "a", "losses", *ASKED, "--kind", "lost", "open").exit_code == 0
    lines = report(middle.database, "list").stdout.splitlines()
    asked = "--shop jd:10086 --from 2026-11-09 --to 2026-11-11"
    assert f"a: losses --kind lost open {asked}" in lines
    assert f"b: pressure --capacity 3 {asked}" in lines
    assert report(middle.database, "delete", "a").exit_code == 0
    assert report(middle.database, "delete", "b").exit_code == 0
    assert not [one for one in report(middle.database, "list").stdout.splitlines() if one[:2] in ("a:", "b:")]
    for command in ("use", "delete"):
        refused = report(ledger, command, "a")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "no report is saved as 'a'; none is saved" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "profits", *ASKED), "there is no report 'profits'; there are "),
        (("x", "save", *ASKED), "there is no report 'save'; there are "),
        (("x", "sales", *ASKED, "--agent", "nobody"), "there is no agent 'nobody'; there are "),
        (("x", "sales", "--shop", "jd:10086"), "Missing option '--from'"),
        (("x", "sales", *ASKED, "--capacity", "3"), "No such option"),
        (("", "sales", *ASKED), "'' is no name"),
    ],
)
def test_what_cannot_be_made_is_not_saved(middle: Traffic, arguments: tuple[str, ...], message: str) -> None:
    before = report(middle.database, "list").stdout
    refused = report(middle.database, "save", *arguments)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert report(middle.database, "list").stdout == before
