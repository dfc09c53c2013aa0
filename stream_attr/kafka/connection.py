"""A client of a cluster that has answered, and whose brokers are reached at their advertised addresses.

A Kafka client asks the address that it is given only which brokers there are. For all else it goes to the
addresses that these advertise (``advertised.listeners``); where one of them is wrong, clients try for ever.
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
"""How long a broker may take for an answer."""
_NOBODY_THERE_S = 5.0
"""How long to try where nobody listens or the name is not known: a broker may just be starting."""
_FIRST_ATTEMPT_S = 1.0
_NEXT_ATTEMPT_S = 4.0
_MOST_AT_ONCE = 16
_REMEDY = (
    "set its advertised.listeners to an address that clients reach (docs/operations.md, Advertised addresses)"
)


class BrokerUnreachable(UnusableError):  # noqa: N818
    """No broker answers at the address given, or it refuses what was asked of it."""


class _NoAnswer(Exception):  # noqa: N818
    """An address from which no metadata could be had."""

    def __init__(self, reason: str, *, login_refused: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.login_refused = login_refused


def connect(bootstrap: str, security: Security) -> tuple[AdminClient, ClusterMetadata]:
    """Return a client of a cluster that has answered, and its answer.

    Where some of its brokers cannot be reached at their advertised addresses, it logs a warning for each.

    Raises:
        BrokerUnreachable: no broker answers, or it refuses us, or none is reached at its advertised address.
    """
    try:
        admin, cluster = _answer(bootstrap, security, say_so=True)
    except _NoAnswer as error:
        raise BrokerUnreachable(_no_answer(bootstrap, security, error)) from error
    _require_advertised(cluster, bootstrap, security)
    return admin, cluster


def unreachable(
    brokers: Iterable[BrokerMetadata], cluster_id: str | None, bootstrap: str, security: Security
) -> list[str]:
    """Return a sentence for each broker that does not answer at the address that it advertises.

    ``bootstrap`` is the address that led to these brokers. Takes some 17 seconds for each 16 that are silent.
    """

    def problem(broker: BrokerMetadata) -> str | None:
        address = _address(broker)
        advertised = f"broker {broker.id} of {bootstrap} advertises {address}"
        try:
            _, cluster = _answer(address, security)
        except _NoAnswer as error:
            reason = re.sub(rf"^(\w+://)?{re.escape(address)}/bootstrap: ", "", error.reason)
            return f"{advertised}, which cannot be reached from here: {reason}; {_REMEDY}"
        if cluster.cluster_id != cluster_id:
            return f"{advertised}, where another cluster answers; {_REMEDY}"
        return None

    asked = list(brokers)
    if not asked:
        return []
    pool = ThreadPoolExecutor(min(len(asked), _MOST_AT_ONCE))
    try:
        return [found for found in pool.map(problem, asked) if found is not None]
    finally:  # whoever is interrupted does not wait for those that have not been asked yet
        pool.shutdown(wait=False, cancel_futures=True)


def reason_of(error: KafkaException) -> str:
    """What the client says of an error, for people."""
    text: str = error.args[0].str()
    return text


def _require_advertised(cluster: ClusterMetadata, bootstrap: str, security: Security) -> None:
    """Look whether brokers are reached at the addresses that they advertise and we do not ask anyway."""
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


def _answer(
    bootstrap: str, security: Security, *, say_so: bool = False
) -> tuple[AdminClient, ClusterMetadata]:
    """Ask for metadata until there is an answer; ``say_so``: log that there is none yet.

    Raises:
        _NoAnswer: there is none for 15 seconds, for 5 where nobody listens, or the log-in is refused.
    """
    problems = _Problems()
    admin = AdminClient({**security.rdkafka(bootstrap), "log_level": 0, "error_cb": problems.see})
    begun = time.monotonic()
    attempt_s = _FIRST_ATTEMPT_S
    while True:
        try:
            return admin, admin.list_topics(timeout=attempt_s)
        except KafkaException as error:
            admin.poll(0)  # takes in what the client has to say
            spent = time.monotonic() - begun
            reason = problems.last or reason_of(error)
            limit_s = _NOBODY_THERE_S if problems.nobody_there else BROKER_TIMEOUT_S
            if problems.login_refused or spent >= limit_s:
                raise _NoAnswer(reason, login_refused=problems.login_refused) from error
        if say_so and attempt_s == _FIRST_ATTEMPT_S:
            logger.warning("no answer from %s yet: %s", bootstrap, visible(reason))
        attempt_s = _NEXT_ATTEMPT_S


def _no_answer(bootstrap: str, security: Security, error: _NoAnswer) -> str:
    if error.login_refused:
        return (
            f"broker {bootstrap} refuses user {security.user}: {error.reason}; see --sasl-user, "
            "--sasl-password-file and --sasl-mechanism"
        )
    if security.protocol is Protocol.PLAINTEXT:
        return (
            f"no Kafka broker answers at {bootstrap}: {error.reason}; start one with 'stream-attr broker' "
            "or 'make kafka-up', or name yours with --broker HOST:PORT (where it has TLS or a log-in, with "
            "--security-protocol too)"
        )
    return (
        f"no {security.protocol} connection to broker {bootstrap}: {error.reason}; see --broker, "
        "--security-protocol and the options --tls-…"
    )


class _Problems:
    """What the client says of its connections."""

    def __init__(self) -> None:
        self.last = ""
        """The last that one of them met with."""
        self.nobody_there = False
        """Whether all of them are down."""
        self.login_refused = False
        """Whether a broker does not take user and password."""

    def see(self, error: KafkaError) -> None:
        """Learn of a problem; the client calls it."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.nobody_there = True
        else:
            self.last = error.str().partition(" (after ")[0]
            self.login_refused = self.login_refused or error.code() == KafkaError._AUTHENTICATION
