"""The options by which commands find the ledger's database."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stream_attr.cli.database import Where, database_options
from stream_attr.kafka.secret import UnusableSecretError


@click.command()
@database_options
def where_is_it(where: Where) -> None:
    """Print where the database is."""
    password = None if where.password is None else where.password.reveal()
    click.echo(f"{where.address} {where.folder} {password}")


def test_a_password_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    words = ["--database", "postgresql://me@db/ledger"]
    with_file = [*words, "--database-password-file", str(file)]
    assert CliRunner().invoke(where_is_it, words).output == "postgresql://me@db/ledger data/ledger None\n"
    found = CliRunner().invoke(where_is_it, with_file)
    assert found.output == "postgresql://me@db/ledger data/ledger s3cret\n"
    in_environment = CliRunner().invoke(where_is_it, with_file, env={"PGPASSWORD": "other"})
    assert isinstance(in_environment.exception, UnusableSecretError)
    assert "leave one out" in str(in_environment.exception)


def test_a_password_without_an_address_is_refused(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("s3cret")
    refused = CliRunner().invoke(where_is_it, ["--database-password-file", str(file)])
    assert refused.exit_code == 2
    assert "goes with --database" in refused.output
