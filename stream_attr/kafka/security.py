"""TLS and log-in of connections to the brokers, translated into the settings of each client library."""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from stream_attr.errors import UnusableError
from stream_attr.kafka.secret import Secret

__all__ = ["UNSECURED", "Mechanism", "Protocol", "Security", "SecurityError"]


class Protocol(enum.StrEnum):
    """The protocol of a broker's listener, by Kafka's names."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted and the broker presents a certificate."""
        return self in (Protocol.SSL, Protocol.SASL_SSL)

    @property
    def sasl(self) -> bool:
        """Whether clients log in with user and password."""
        return self in (Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL)


class Mechanism(enum.StrEnum):
    """How a client proves that it knows the password; ``PLAIN`` sends it."""

    SCRAM_SHA_512 = "SCRAM-SHA-512"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"


class SecurityError(UnusableError, ValueError):
    """Options that contradict each other, or an unusable file; the message names option and remedy."""


@dataclass(frozen=True, slots=True)
class Security:
    """Security settings, the same for every client of the brokers.

    Raises:
        SecurityError: on construction; settings are incomplete, or a file cannot be used.
    """

    protocol: Protocol = Protocol.PLAINTEXT
    mechanism: Mechanism = Mechanism.SCRAM_SHA_512
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    """Trusted certificate authorities, PEM; None: those of the system."""
    cert_file: Path | None = None
    """The client's certificate, PEM, where the broker requires one."""
    key_file: Path | None = None
    any_hostname: bool = False
    """Whether host name verification is skipped."""

    def __post_init__(self) -> None:
        self._require_complete_login()
        self._require_complete_tls()
        self.ssl_context()

    def _require_complete_login(self) -> None:
        if not self.protocol.sasl:
            given = "a password" if self.user is None else f"user {self.user}"
            if self.user is not None or self.password is not None:
                raise SecurityError(
                    f"{given} is given, and --security-protocol {self.protocol} has no log-in: "
                    "make it SASL_SSL, or leave the user and the password out"
                )
            return
        if not self.user:
            raise SecurityError(
                f"--security-protocol {self.protocol} needs a user: --sasl-user or STREAM_ATTR_SASL_USER"
            )
        if self.password is None:
            raise SecurityError(
                f"the password of user {self.user} is missing: --sasl-password-file or "
                "STREAM_ATTR_SASL_PASSWORD"
            )
        if self.mechanism is Mechanism.PLAIN and not self.protocol.tls:
            raise SecurityError(
                "--sasl-mechanism PLAIN without TLS shows the password to the network: use SASL_SSL or SCRAM"
            )

    def _require_complete_tls(self) -> None:
        given = {
            "--tls-ca-file": self.ca_file,
            "--tls-cert-file": self.cert_file,
            "--tls-key-file": self.key_file,
            "--tls-any-hostname": self.any_hostname or None,
        }
        options = [option for option, value in given.items() if value is not None]
        if options and not self.protocol.tls:
            raise SecurityError(
                f"{options[0]} is given, and --security-protocol {self.protocol} has no TLS: "
                "make it SSL or SASL_SSL"
            )
        if (self.cert_file is None) is not (self.key_file is None):
            raise SecurityError("--tls-cert-file and --tls-key-file belong together: give both or neither")

    def rdkafka(self, bootstrap: str) -> dict[str, Any]:
        """Settings for a confluent-kafka client of these brokers."""
        settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "security.protocol": self.protocol.value,
        }
        if self.protocol.sasl:
            assert self.password is not None
            settings["sasl.mechanism"] = self.mechanism.value
            settings["sasl.username"] = self.user
            settings["sasl.password"] = self.password.reveal()
        if self.protocol.tls:
            settings["ssl.endpoint.identification.algorithm"] = "none" if self.any_hostname else "https"
        if self.ca_file is not None:
            settings["ssl.ca.location"] = str(self.ca_file)
        if self.cert_file is not None:
            settings["ssl.certificate.location"] = str(self.cert_file)
            settings["ssl.key.location"] = str(self.key_file)
        return settings

    def ssl_context(self) -> ssl.SSLContext | None:
        """The same for a client that uses Python's TLS; None: no TLS."""
        if not self.protocol.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise SecurityError(f"--tls-ca-file {self.ca_file} cannot be used: {_why(error)}") from error
        context.check_hostname = not self.any_hostname
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file, password=_encrypted)
            except OSError as error:
                raise SecurityError(
                    f"--tls-cert-file {self.cert_file} with --tls-key-file {self.key_file} cannot be used: "
                    f"{_why(error)}"
                ) from error
        return context


def _encrypted() -> NoReturn:
    """OpenSSL calls this for the key's password; without it, it would prompt on the terminal."""
    raise SecurityError(
        "--tls-key-file is encrypted: give the key without a password, in a file that only this user may read"
    )


def _why(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return error.strerror or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    return "it is not in PEM" if error.reason in (None, "NO_CERTIFICATE_OR_CRL_FOUND") else error.reason


UNSECURED = Security()
"""No TLS and no log-in, as for a broker on this machine."""
