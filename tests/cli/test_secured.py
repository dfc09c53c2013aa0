"""Options and variables for TLS, log-in and token, on every command that takes them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from stream_attr.cli import main, publish, topics, worker
from stream_attr.kafka.security import Mechanism, Protocol

PASSWORD = "geheim-7f3a91"
TOKEN = "0123456789abcdef"
COMMANDS = (["worker"], ["topics", "create"], ["publish", "--until", "2026-01-01T00:00:00Z"])


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return str(file)


@pytest.fixture
def handed_on(monkeypatch):
    """What each command hands on as the security of its brokers; the worker the whole of its settings."""
    handed = []

    def hand(*_, security, **__):
        handed.append(security)
        return []

    monkeypatch.setattr(topics, "create_topics", hand)
    monkeypatch.setattr(publish, "publish", hand)

    def run(config, _judging):
        handed.append(config.security)
        return 0

    monkeypatch.setattr(worker, "run", run)
    return handed


def invoke(*words, **environment):
    return CliRunner().invoke(main, list(words), env=environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_same_options(command, handed_on, password_file):
    options = {
        "--security-protocol": "sasl_ssl",
        "--sasl-mechanism": "SCRAM-SHA-256",
        "--sasl-user": "worker",
        "--sasl-password-file": password_file,
    }
    result = invoke(*command, *(word for option in options.items() for word in option), "--tls-any-hostname")
    assert result.exit_code == 0, result.output
    [security] = handed_on
    assert (security.protocol, security.mechanism) == (Protocol.SASL_SSL, Mechanism.SCRAM_SHA_256)
    assert (security.user, security.password.reveal(), security.any_hostname) == ("worker", PASSWORD, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_same_variables(command, handed_on):
    result = invoke(
        *command,
        STREAM_ATTR_SECURITY_PROTOCOL="SASL_SSL",
        STREAM_ATTR_SASL_USER="worker",
        STREAM_ATTR_SASL_PASSWORD=PASSWORD,
    )
    assert result.exit_code == 0, result.output
    [security] = handed_on
    assert (security.protocol, security.mechanism) == (Protocol.SASL_SSL, Mechanism.SCRAM_SHA_512)
    assert (security.user, security.password.reveal(), security.any_hostname) == ("worker", PASSWORD, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_half_given_end_it_with_one_sentence(command):
    result = invoke(*command, "--security-protocol", "SASL_SSL", "--sasl-user", "worker")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: the password of user worker is missing: --sasl-password-file or STREAM_ATTR_SASL_PASSWORD\n"
    )


def test_a_password_on_the_command_line_is_refused_and_not_repeated():
    for words in (("--sasl-password", PASSWORD), (f"--sasl-password={PASSWORD}",)):
        result = invoke("worker", *words)
        assert (result.exit_code, PASSWORD in result.output) == (2, False)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for option in ("--sasl-password-file", "--tls-ca-file", "--web-token-file"):
        result = invoke("worker", option, str(tmp_path / "none"))
        assert (result.exit_code, f"{tmp_path / 'none'}' does not exist" in result.stderr) == (2, True)


def test_a_token_that_is_too_short_is_named_by_where_it_is(password_file):
    result = invoke("worker", "--web-token-file", password_file)
    assert result.stderr == f"Error: --web-token-file {password_file} has fewer than 16 characters\n"
    result = invoke("worker", STREAM_ATTR_WEB_TOKEN="short")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: STREAM_ATTR_WEB_TOKEN has fewer than 16 characters\n",
    )


@contextmanager
def answering(status, **headers):
    """A web server that answers everything alike; yields its address, and what it was asked with."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}", seen
        finally:
            running.shutdown()
            thread.join()


def explain(url, **environment):
    return invoke("explain", "jd:1", "o1", "--url", url, "--wait", "0s", **environment)


def test_explain_bears_the_token_and_says_when_it_is_not_taken():
    with answering(401) as (url, seen):
        without, wrong = explain(url), explain(url, STREAM_ATTR_WEB_TOKEN=TOKEN)
    assert seen == [None, f"Bearer {TOKEN}"]
    assert without.stderr == f"Error: the worker at {url} needs a token: see --web-token-file\n"
    assert wrong.stderr == f"Error: the worker at {url} rejects this token: see --web-token-file\n"
    assert without.exit_code == wrong.exit_code == 2


def test_explain_takes_the_token_nowhere_else():
    with answering(404) as (elsewhere, seen), answering(302, Location=elsewhere) as (url, _):
        explain(url, STREAM_ATTR_WEB_TOKEN=TOKEN)
    assert seen == [None]
