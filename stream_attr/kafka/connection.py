"""Connects to a cluster, and checks that its brokers are reachable at their advertised addresses.

A Kafka client requests from the bootstrap address only which brokers there are. For all else it uses the
addresses that these advertise (``advertised.listeners``); if one of them is wrong, clients retry for ever.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, BrokerMetadata, ClusterMetadata

from stream_attr.codec.visible import visible
from stream_attr.errors import UnusableError
from stream_attr.kafka.security import Protocol, Security

__all__ = ["BROKER_TIMEOUT_S", "BrokerUnreachable", "connect", "reason_of", "unreachable"]

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_S = 15.0
"""Timeout of a request to a broker."""
_NOBODY_THERE_S = 5.0
"""How long to retry where nothing listens or the host is unknown: a broker may just be starting."""
_FIRST_ATTEMPT_S = 1.0
_NEXT_ATTEMPT_S = 4.0
_MAX_PARALLEL = 16
_REMEDY = (
    "set its advertised.listeners to an address that clients reach (docs/operations.md, Advertised addresses)"
)

_of_advertised = re.compile(
    r"(?:\w+://)?(?P<address>\S+)/(?P<number>\d+): (?P<reason>.*)", re.DOTALL
).fullmatch
"""Matches what the client says of a connection to an advertised address: a bootstrap address has answered."""


class BrokerUnreachable(UnusableError):  # noqa: N818
    """No broker answers at the given address, or it refuses the request."""


class _NoAnswer(Exception):  # noqa: N818
    """An address that returned no metadata; does not leave this module."""

    def __init__(self, reason: str, *, login_refused: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.login_refused = login_refused


def connect(bootstrap: str, security: Security) -> tuple[AdminClient, ClusterMetadata]:
    """Return a client of the cluster and the cluster's metadata.

    Logs a warning for each broker that is not reachable at its advertised address.

    Raises:
        BrokerUnreachable: no broker answers, it refuses the log-in, or no advertised address is reachable.
    """
    try:
        admin, cluster = _request_metadata(bootstrap, security, log_retry=True)
    except _NoAnswer as error:
        advertised = _of_advertised(error.reason)
        if advertised and advertised["address"] not in bootstrap.split(",") and not error.login_refused:
            message = _cannot_be_reached(bootstrap, **advertised.groupdict())
        else:
            message = _no_answer(bootstrap, security, error)
        raise BrokerUnreachable(message) from error
    _require_advertised(cluster, bootstrap, security)
    return admin, cluster


def unreachable(
    brokers: Iterable[BrokerMetadata], cluster_id: str | None, bootstrap: str, security: Security
) -> list[str]:
    """Return a sentence for each broker that does not answer at its advertised address.

    ``bootstrap``: the address that named these brokers. Takes about 17 seconds per 16 unreachable brokers.
    """

    def problem(broker: BrokerMetadata) -> str | None:
        address = _address(broker)
        try:
            _, cluster = _request_metadata(address, security)
        except _NoAnswer as error:
            reason = re.sub(rf"^(\w+://)?{re.escape(address)}/bootstrap: ", "", error.reason)
            return _cannot_be_reached(bootstrap, broker.id, address, reason)
        if cluster.cluster_id != cluster_id:
            return (
                f"broker {broker.id} of {bootstrap} advertises {address}, where another cluster answers; "
                f"{_REMEDY}"
            )
        return None

    checked = list(brokers)
    if not checked:
        return []
    pool = ThreadPoolExecutor(min(len(checked), _MAX_PARALLEL))
    try:
        return [found for found in pool.map(problem, checked) if found is not None]
    finally:  # an interrupted caller does not wait for requests that have not begun
        pool.shutdown(wait=False, cancel_futures=True)


def reason_of(error: KafkaException) -> str:
    """The client's description of an error, for people."""
    text: str = error.args[0].str()
    return text


def _require_advertised(cluster: ClusterMetadata, bootstrap: str, security: Security) -> None:
    """Check the advertised addresses that are not among the bootstrap addresses.

    Raises:
        BrokerUnreachable: none of them answers.
    """
    answered = cluster.orig_broker_name.rpartition("/")[0].rpartition("://")[2]
    known = bootstrap.split(",")
    brokers = cluster.brokers.values()
    if any(_address(broker) == answered for broker in brokers):
        suspects = [broker for broker in brokers if _address(broker) not in (answered, *known)]
        reached = True
    else:
        suspects = list(brokers)
        reached = False
    problems = unreachable(suspects, cluster.cluster_id, bootstrap, security)
    if problems and not reached and len(problems) == len(suspects):
        raise BrokerUnreachable(problems[0])
    for problem in problems:
        logger.warning("%s", visible(problem))


def _address(broker: BrokerMetadata) -> str:
    return f"[{broker.host}]:{broker.port}" if ":" in broker.host else f"{broker.host}:{broker.port}"


def _request_metadata(
    bootstrap: str, security: Security, *, log_retry: bool = False
) -> tuple[AdminClient, ClusterMetadata]:
    """Request metadata until there is a response; ``log_retry``: log that there is none yet.

    Raises:
        _NoAnswer: no response within 15 seconds (5 if nothing listens there), or the log-in is refused.
    """
    problems = _Problems()
    admin = AdminClient({**security.rdkafka(bootstrap), "log_level": 0, "error_cb": problems.record})
    begun = time.monotonic()
    attempt_s = _FIRST_ATTEMPT_S
    while True:
        try:
            return admin, admin.list_topics(timeout=attempt_s)
        except KafkaException as error:
            admin.poll(0)  # calls error_cb
            spent = time.monotonic() - begun
            reason = problems.last or reason_of(error)
            limit_s = _NOBODY_THERE_S if problems.nobody_there else BROKER_TIMEOUT_S
            if problems.login_refused or spent >= limit_s:
                raise _NoAnswer(reason, login_refused=problems.login_refused) from error
        if log_retry and attempt_s == _FIRST_ATTEMPT_S:
            logger.warning("no answer from %s yet: %s", bootstrap, visible(reason))
        attempt_s = _NEXT_ATTEMPT_S


def _cannot_be_reached(bootstrap: str, number: int | str, address: str, reason: str) -> str:
    return (
        f"broker {number} of {bootstrap} advertises {address}, which cannot be reached from here: {reason}; "
        f"{_REMEDY}"
    )


def _no_answer(bootstrap: str, security: Security, error: _NoAnswer) -> str:
    if error.login_refused:
        return (
            f"broker {bootstrap} refuses user {security.user}: {error.reason}; see --sasl-user, "
            "--sasl-password-file and --sasl-mechanism"
        )
    if security.protocol is Protocol.PLAINTEXT:
        return (
            f"no Kafka broker answers at {bootstrap}: {error.reason}; start one with 'stream-attr broker' "
            "or 'make kafka-up', or name yours with --broker HOST:PORT (if it uses TLS or a log-in, with "
            "--security-protocol too)"
        )
    return (
        f"no {security.protocol} connection to broker {bootstrap}: {error.reason}; see --broker, "
        "--security-protocol and the options --tls-…"
    )


class _Problems:
    """Errors of the client's connections."""

    def __init__(self) -> None:
        self.last = ""
        """The last one, as the client describes it."""
        self.nobody_there = False
        """Whether all connections are down, those to bootstrap addresses too."""
        self.login_refused = False
        """Whether a broker rejects user and password."""

    def record(self, error: KafkaError) -> None:
        """Record an error; the client calls this (``error_cb``)."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.nobody_there = not _of_advertised(self.last)
        else:
            self.last = error.str().partition(" (after ")[0]
            self.login_refused = self.login_refused or error.code() == KafkaError._AUTHENTICATION
