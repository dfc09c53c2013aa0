"""Settings of TLS and log-in: half-given ones are refused in one sentence, and no secret is ever shown."""

from __future__ import annotations

import copy
import pickle
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stream_attr.kafka.secret import Secret, UnusableSecretError, checked_token, read_secret
from stream_attr.kafka.security import UNSECURED, Mechanism, Protocol, Security, SecurityError
from stream_attr.worker.config import WorkerConfig

PASSWORD = "geheim-7f3a91"


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A certificate with its key, another key, one that is encrypted, and a file that is none of these."""
    folder = tmp_path_factory.mktemp("pem")
    openssl = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "2")
    for words in (
        (*openssl, "-keyout", "key", "-out", "cert"),
        ("openssl", "genrsa", "-out", "other-key"),
        ("openssl", "genrsa", "-aes128", "-passout", "pass:abcd", "-out", "encrypted-key"),
    ):
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
    (folder / "junk").write_text("no PEM")
    return folder


def login(**changes):
    given = {"protocol": Protocol.SASL_SSL, "user": "worker", "password": Secret(PASSWORD), **changes}
    return Security(**given)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"user": None}, "needs a user: --sasl-user"),
        ({"user": ""}, "needs a user: --sasl-user"),
        ({"password": None}, "the password of user worker is missing: --sasl-password-file"),
        ({"protocol": Protocol.PLAINTEXT}, "user worker is given, and --security-protocol PLAINTEXT"),
        ({"protocol": Protocol.SSL}, "user worker is given, and --security-protocol SSL has no log-in"),
        ({"protocol": Protocol.SSL, "user": None}, "a password is given, and --security-protocol SSL"),
        ({"protocol": Protocol.SASL_PLAINTEXT, "mechanism": Mechanism.PLAIN}, "shows the password to"),
        ({"protocol": Protocol.SASL_PLAINTEXT, "any_hostname": True}, "--tls-any-hostname is given, and"),
    ],
)  # fmt: skip
def test_what_is_half_given_is_refused_by_name_and_remedy(given, problem):
    with pytest.raises(SecurityError) as refused:
        login(**given)
    assert problem in str(refused.value)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"ca_file": "none"}, "--tls-ca-file {}/none cannot be used: No such file or directory"),
        ({"ca_file": "junk"}, "--tls-ca-file {}/junk cannot be used: it is not in PEM"),
        ({"cert_file": "cert"}, "--tls-cert-file and --tls-key-file belong together"),
        ({"key_file": "key"}, "--tls-cert-file and --tls-key-file belong together"),
        ({"cert_file": "cert", "key_file": "other-key"}, "the key does not belong to the certificate"),
        ({"cert_file": "cert", "key_file": "encrypted-key"}, "--tls-key-file is encrypted: "),
        ({"cert_file": "junk", "key_file": "key"}, "{}/junk with --tls-key-file {}/key cannot be used: "),
        ({"cert_file": "cert", "key_file": "none"}, "cannot be used: No such file or directory"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(pem, given, problem):
    with pytest.raises(SecurityError) as refused:
        Security(Protocol.SSL, **{name: pem / file for name, file in given.items()})
    assert problem.format(pem, pem) in str(refused.value)


def test_files_of_tls_without_tls_are_refused(pem):
    with pytest.raises(SecurityError, match="--tls-ca-file is given, and --security-protocol PLAINTEXT"):
        Security(ca_file=pem / "cert")


def test_each_client_gets_the_same_in_its_own_settings(pem):
    security = login(ca_file=pem / "cert", cert_file=pem / "cert", key_file=pem / "key")
    assert security.rdkafka("b:9093") == {
        "bootstrap.servers": "b:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "worker",
        "sasl.password": PASSWORD,
        "ssl.endpoint.identification.algorithm": "https",
        "ssl.ca.location": str(pem / "cert"),
        "ssl.certificate.location": str(pem / "cert"),
        "ssl.key.location": str(pem / "key"),
    }
    context = security.ssl_context()
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert len(context.get_ca_certs()) == 1
    assert UNSECURED.rdkafka("b:9092") == {"bootstrap.servers": "b:9092", "security.protocol": "PLAINTEXT"}
    assert UNSECURED.ssl_context() is None


def test_any_hostname_still_asks_for_a_certificate_that_is_vouched_for():
    security = login(any_hostname=True)
    assert security.rdkafka("b:1")["ssl.endpoint.identification.algorithm"] == "none"
    context = security.ssl_context()
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_REQUIRED)


def test_no_secret_is_shown_by_what_holds_it():
    config = WorkerConfig(security=login(), web_token=Secret(PASSWORD))
    for holder in (config, config.security, config.security.password, replace(config, web_port=1)):
        assert PASSWORD not in f"{holder!r} {holder} {[holder]}"
    assert "worker" in repr(config)
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            store(config.web_token)


def test_a_secret_is_one_line_of_a_file_or_a_variable(tmp_path, monkeypatch):
    def read(path: Path | None) -> str:
        secret = read_secret(path, "--x-file", "X")
        assert secret is not None
        return secret.reveal()

    file = tmp_path / "secret"
    for text in (PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\n"):
        file.write_bytes(text.encode())
        assert read(file) == PASSWORD
    file.write_text(f" {PASSWORD} ")
    assert read(file) == f" {PASSWORD} ", "blanks are part of it"
    monkeypatch.setenv("X", PASSWORD)
    assert read(None) == PASSWORD
    with pytest.raises(UnusableSecretError, match="both --x-file and X are given: leave one out"):
        read_secret(file, "--x-file", "X")
    for nothing in ("", None):
        monkeypatch.delenv("X") if nothing is None else monkeypatch.setenv("X", nothing)
        assert read_secret(None, "--x-file", "X") is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "has more than one line"),
        (b"\xff", "is not in UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_without_a_secret_is_named(tmp_path, content, problem):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnusableSecretError) as refused:
        read_secret(file, "--x-file", "X")
    assert str(refused.value) == f"--x-file {file} {problem}"


@pytest.mark.parametrize(
    "text", ["a" * 15, "a" * 15 + " ", "a" * 16 + "\t", "业" * 16, "=" * 16, "a" * 16 + '"']
)
def test_a_token_that_is_guessed_or_cannot_be_sent_is_refused_unseen(text):
    with pytest.raises(UnusableSecretError) as refused:
        checked_token(Secret(text), "X")
    assert text not in str(refused.value)


def test_a_token_is_as_tools_make_them():
    for text in ("0123456789abcdef", "Zm9vYmFyZm9vYmFy+/8=", "a-b.c_d~e0123456"):
        assert checked_token(Secret(text), "X").reveal() == text
