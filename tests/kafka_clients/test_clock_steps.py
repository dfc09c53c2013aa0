"""Kafka clients are woken after each step back of the wall clock, and after nothing else."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_attr.kafka.clock_steps import Clients, watch_wall_clock


class Client:
    """Counts requests; none is answered in no time."""

    def __init__(self):
        self.requests = 0

    def list_topics(self, *, timeout):
        assert timeout == 0
        self.requests += 1
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def woken(*wall):
    """How often clients are woken while the wall clock reads this, a second after the other."""
    clients, client, removed = Clients(), Client(), Client()
    for one in (client, removed):
        clients.add(one)
    clients.remove(removed)
    read = iter(wall)
    seconds = iter(range(len(wall)))
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(watch_wall_clock(clients, lambda: next(read), lambda: next(seconds), 0))
    assert removed.requests == 0
    return client.requests


def test_a_clock_that_goes_on_or_is_slewed_wakes_nobody():
    assert woken(100, 101, 102.2, 102.9, 103.5) == 0


def test_a_clock_that_is_put_forward_wakes_nobody():
    assert woken(100, 101, 3702, 3703) == 0


def test_a_clock_that_is_set_back_wakes_clients_several_times():
    assert woken(100, 101, 42, *range(43, 53)) == 6


def test_each_step_back_wakes_them_again():
    assert woken(100, 41, 42, 3, *range(4, 20)) == 2 + 6
