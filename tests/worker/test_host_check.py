"""What a worker refuses before it joins anything: with one sentence, and exit code 2."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.worker.config import StoreKind, WorkerConfig
from stream_attr.worker.startup.host_check import Claim, HostCheckError
from stream_attr.worker.state.store import StoreBusy


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_data_directory_is_one_workers_at_a_time(tmp_path, port):
    config = WorkerConfig(data_dir=tmp_path / "data", web_port=port)
    with Claim(config), pytest.raises(StoreBusy) as refused, Claim(config):
        pass
    assert f"{tmp_path / 'data'} is in use by another process" in str(refused.value)
    assert "need a --data-dir each" in str(refused.value)
    with Claim(config):
        pass


def test_two_installations_cannot_share_one_either(tmp_path, port):
    one = WorkerConfig(data_dir=tmp_path, web_port=port)
    other = WorkerConfig(data_dir=tmp_path, web_port=port, app_id="other", topic_prefix="other-")
    with Claim(one), pytest.raises(StoreBusy), Claim(other):
        pass


def test_a_store_in_memory_needs_no_directory(tmp_path, port):
    config = WorkerConfig(data_dir=tmp_path / "none", web_port=port, store=StoreKind.MEMORY)
    with Claim(config), Claim(config):
        assert not (tmp_path / "none").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path, port):
    (tmp_path / "file").touch()
    config = WorkerConfig(data_dir=tmp_path / "file" / "data", web_port=port)
    with pytest.raises(HostCheckError, match="file/data cannot be used: Not a directory"), Claim(config):
        pass


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = WorkerConfig(data_dir=tmp_path, web_port=port)
        with (
            pytest.raises(HostCheckError, match=f"port {port} on 127.0.0.1 cannot be used: .*in use"),
            Claim(config),
        ):
            pass


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "a" * 70])
def test_a_host_that_is_not_this_machines_is_named(tmp_path, port, host):
    config = WorkerConfig(data_dir=tmp_path, web_host=host, web_port=port)
    with pytest.raises(HostCheckError, match=f"on {host} cannot be used: "), Claim(config):
        pass


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (("--session-timeout", "0s"), "is not in the range 1s to 30m"),
        (("--session-timeout", "999ms"), "is not in the range 1s to 30m"),
        (("--session-timeout", "99d"), "is not in the range 1s to 30m"),
        (("--app-id", ""), "it must not be empty"),
        (("--app-id", " "), "it must not be empty"),
    ],
)
def test_an_option_that_cannot_be_is_wrong_usage(option, problem):
    result = CliRunner().invoke(main, ["worker", "--broker", "127.0.0.1:1", *option])
    assert (result.exit_code, problem in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (("--data-dir", "/dev/null/data"), "--data-dir /dev/null/data cannot be used: Not a directory"),
        (("--web-host", "203.0.113.7"), "on 203.0.113.7 cannot be used: "),
    ],
)
def test_the_command_shows_one_sentence_and_exits_with_2(tmp_path, port, option, problem):
    command = [
        sys.executable,
        "-m",
        "stream_attr",
        "worker",
        "--broker",
        "127.0.0.1:1",
        "--web-port",
        str(port),
    ]
    done = subprocess.run([*command, *option], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("Error: ")
    assert problem in done.stderr
