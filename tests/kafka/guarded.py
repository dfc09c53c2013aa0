"""An Apache Kafka with TLS, log-ins and exactly the access rules that ``docs/security.md`` lists."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import apache_kafka
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from stream_attr.kafka.embedded import server
from tests.kafka.worker_process import LONGEST_S

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
ROLES = (
    *("integrator", "supervisor", "administration", "worker", "ledger", "gateway", "adapt", "console"),
    *("payroll", "operator"),
)
PLAIN_USER = "plain"
"""Has no right at all; logs in by PLAIN."""

_ROW = re.compile(
    r"^\| (?P<role>[a-z]+)(?:: [^|]*)? \| (?P<kind>topic|group|transactional-id) \|"
    r" (?P<names>`[^|]+`) \| (?P<operations>`[^|]+`) \|$",
    re.MULTILINE,
)
_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}


class Rule(NamedTuple):
    """One access rule of the document."""

    role: str
    kind: str
    name: str
    """A ``*`` at the end: all names that begin so."""
    operation: str


def rules() -> list[Rule]:
    """All access rules of the document."""
    return [
        Rule(row["role"], row["kind"], name, operation)
        for row in _ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
        for name in re.findall(r"`([^`]+)`", row["names"])
        for operation in re.findall(r"`([^`]+)`", row["operations"])
    ]


@dataclass(frozen=True)
class Files:
    """Keys and certificates, in PEM, of an authority of this test's own."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def stranger(self) -> Path:
        """Another authority, which has signed nothing here."""
        return self.folder / "stranger.pem"

    @property
    def keystore(self) -> Path:
        """The broker's key and certificate, which is for 127.0.0.1 and no other name."""
        return self.folder / "broker.store.pem"

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def password(self, user: str) -> Path:
        return self.folder / f"{user}.password"


def make_files(folder: Path) -> Files:
    """Make the authority, the broker's certificate, one for each role, and each role's password."""
    files = Files(folder)
    for name in ("ca", "stranger"):
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"),
        )
    for name in ("broker", *ROLES):
        extensions = folder / f"{name}.ext"
        extensions.write_text(
            "subjectAltName=IP:127.0.0.1\n" if name == "broker" else "keyUsage=digitalSignature\n"
        )
        request = folder / f"{name}.csr"
        _openssl(
            *("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", files.key(name), "-out", request),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-days", "2", "-extfile", extensions),
            *("-CA", files.authority, "-CAkey", folder / "ca.key", "-CAcreateserial"),
            *("-out", files.certificate(name)),
        )
    files.keystore.write_text(files.key("broker").read_text() + files.certificate("broker").read_text())
    for user in (*ROLES, PLAIN_USER):
        files.password(user).write_text(f"geheim-{user}-7f3a91\n")
    return files


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@dataclass(frozen=True)
class GuardedKafka:
    """It runs, with a user of each role."""

    files: Files
    plain: str
    """Where everybody may do everything: for what a test wants to see or set."""
    login: str
    certificate: str

    def password(self, role: str) -> str:
        return self.files.password(role).read_text().strip()

    def as_user(self, role: str, prefix: str = "") -> list[str]:
        """Options of a command for who logs in by password."""
        return [
            *("--broker", self.login, "--topic-prefix", prefix, "--security-protocol", "SASL_SSL"),
            *("--sasl-user", role, "--sasl-password-file", str(self.files.password(role))),
            *("--tls-ca-file", str(self.files.authority)),
        ]

    def with_certificate(self, role: str, prefix: str = "") -> list[str]:
        """Options of a command for who shows a certificate."""
        return [
            *("--broker", self.certificate, "--topic-prefix", prefix, "--security-protocol", "SSL"),
            *("--tls-ca-file", str(self.files.authority)),
            *("--tls-cert-file", str(self.files.certificate(role))),
            *("--tls-key-file", str(self.files.key(role))),
        ]

    def client(self, role: str) -> dict[str, str]:
        """Settings of a client that is none of ours."""
        return {
            "bootstrap.servers": self.login,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": role,
            "sasl.password": self.password(role),
            "ssl.ca.location": str(self.files.authority),
        }

    def set_password(self, role: str, password: str) -> None:
        """Let a role log in with this password from now on, by either SCRAM; open connections stay."""
        admin = AdminClient({"bootstrap.servers": self.plain})
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            change = UserScramCredentialUpsertion(
                role, ScramCredentialInfo(mechanism, 4096), password.encode()
            )
            admin.alter_user_scram_credentials([change])[role].result(LONGEST_S)

    def make_users(self) -> None:
        """Give each role its password."""
        for role in ROLES:
            self.set_password(role, self.password(role))

    def allow(self, prefix: str, wanted: list[Rule]) -> None:
        """Let the roles do this, on names with the prefix."""
        bindings = [
            AclBinding(
                _KINDS[rule.kind],
                name.removesuffix("*") or "*",
                ResourcePatternType.PREFIXED
                if len(name) > 1 and name.endswith("*")
                else ResourcePatternType.LITERAL,
                user,
                "*",
                AclOperation[re.sub(r"(?<!^)(?=[A-Z])", "_", rule.operation).upper()],
                AclPermissionType.ALLOW,
            )
            for rule in wanted
            for name in (prefix + rule.name,)
            for user in (f"User:{rule.role}", f"User:CN={rule.role}")
        ]
        admin = AdminClient({"bootstrap.servers": self.plain})
        for made in admin.create_acls(bindings).values():
            made.result(LONGEST_S)


@contextmanager
def guarded_kafka(files: Files, login_port: int, certificate_port: int) -> Iterator[GuardedKafka]:
    """Run it; what was done in an earlier run with these files is still there.

    Raises:
        KafkaUnavailable: see ``apache_kafka``.
    """
    plain_users = {PLAIN_USER: files.password(PLAIN_USER).read_text().strip()}
    guard = apache_kafka.Guard([login_port], [certificate_port], files.keystore, files.authority, plain_users)
    with apache_kafka.cluster(files.folder / "kafka", guard=guard) as running:
        yield GuardedKafka(
            files,
            running.bootstrap,
            f"{server.HOST}:{login_port}",
            f"{server.HOST}:{certificate_port}",
        )
