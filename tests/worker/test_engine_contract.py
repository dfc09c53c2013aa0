"""What the worker leans on inside Faust and aiokafka, so that a new release of either fails here first.

Where one of these fails: read the override that names it in ``stream_attr/worker/engine/transport.py`` or
``recovery.py``, and what the release made of it.
"""

from __future__ import annotations

import inspect

import aiokafka
import faust
from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer import group_coordinator, subscription_state
from faust.app import base as faust_app
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables import manager as faust_manager
from faust.tables import recovery as faust_recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from mode import services as mode_services
from mode import threads as mode_threads
from mode import worker as mode_worker

from stream_attr.worker.engine import app, consumer_thread, rebalance, transport


def source(thing):
    return inspect.getsource(thing)


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_the_releases_that_the_overrides_were_seen_in():
    assert faust.__version__ == "0.15.3"
    assert aiokafka.__version__.startswith(("0.12.", "0.13.", "0.14."))


def test_every_override_still_overrides_something_of_the_same_shape():
    for ours, theirs, names in (
        (transport.Consumer, driver.Consumer, {"_new_consumer_thread", "on_stop", "verify_event_path"}),
        (transport.Consumer, faust_consumer.Consumer, {"_drain_messages", "wait_empty", "perform_seek"}),
        (
            consumer_thread.ConsumerThread,
            driver.AIOKafkaConsumerThread,
            {"_create_worker_consumer", "_stopped_set", "on_thread_stop"},
        ),
        (rebalance.Recovery, faust_recovery.Recovery, {"_resume_streams", "on_rebalance"}),
        (rebalance.TableManager, faust_manager.TableManager, {"on_start"}),
        (app.AttributionApp, faust_app.App, {"_create_directories", "on_start"}),
        (app._Worker, mode_worker.Worker, {"_sentinel_task"}),
    ):
        for name in names:
            assert name in vars(ours), name
            assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name)), name
            assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(
                getattr(theirs, name)
            ), name
    for name in ("recovery", "changelog_topics"):
        assert isinstance(vars(faust_manager.TableManager)[name], property)
    assert driver.Transport.Consumer is driver.Consumer


def test_the_fetcher_still_drains_through_the_consumer():
    assert "consumer._drain_messages(self)" in source(faust_consumer.Fetcher)


def test_faust_still_fixes_what_we_set_on_aiokafkas_consumer():
    create = source(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "fetch_max_wait_ms=1500" in create
    assert 'isolation_level: str = "read_uncommitted"' in create
    start = source(aiokafka_consumer.AIOKafkaConsumer.start)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in start
    assert "isolation_level=self._isolation_level" in start


def test_the_co_partitioning_assignor_still_needs_a_changelog():
    create = source(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "has_changelog_tables = bool(self.app.tables.changelog_topics)" in create
    assert "partition_assignment_strategy=[self._assignor]" in create


def test_the_answers_of_brokers_still_come_through_one_function():
    """Else ``_note_answers`` hears of none, and the worker takes every broker for unreachable."""
    assert "await self._client.send(node_id, request)" in source(aiokafka_fetcher.Fetcher._proc_fetch_request)
    assert "await self._client.send(" in source(group_coordinator.GroupCoordinator._send_req)


def test_closing_the_consumer_still_waits_for_the_broker_and_for_cancelled_fetches():
    """When it does neither, ``on_thread_stop`` need not bound it."""
    assert "await self._coordination_task" in source(group_coordinator.GroupCoordinator.close)
    assert "            x.cancel()\n            await x\n" in source(aiokafka_fetcher.Fetcher.close)
    assert "except Exception" in source(mode_threads.ServiceThread._start_thread)


def test_the_groups_errors_still_wait_to_be_heeded():
    pushed = source(group_coordinator.GroupCoordinator._push_error_to_user)
    assert "self._pending_exception = exc" in pushed
    assert "self._error_consumed_fut" in pushed
    check = source(group_coordinator.GroupCoordinator.check_errors)
    assert "raise exc" in check
    assert "self._coordination_task.result()" in check
    assert "await self._stop_heartbeat_task()" in source(
        group_coordinator.GroupCoordinator.ensure_active_group
    )


def test_a_request_to_rejoin_still_wakes_the_coordination():
    coordinator = group_coordinator.GroupCoordinator
    assert "self._rejoin_needed_fut.set_result" in source(coordinator.request_rejoin)
    assert "futures.append(self._rejoin_needed_fut)" in source(
        coordinator._GroupCoordinator__coordination_routine
    )


async def test_a_fetch_response_still_leaves_position_end_and_time_in_the_partition_state():
    state = subscription_state.TopicPartitionState(None)
    assert (state.highwater, state.lso, state.timestamp, state.has_valid_position) == (
        None,
        None,
        None,
        False,
    )
    state.seek(5)
    assert (state.position, state.has_valid_position) == (5, True)
    proceed = source(aiokafka_fetcher.Fetcher._proc_fetch_request)
    for line in ("tp_state.highwater = highwater", "tp_state.lso = lso", "tp_state.timestamp = now_ms"):
        assert line in proceed


def test_what_was_fetched_is_still_taken_out_of_the_fetcher_as_we_take_it():
    """``_await_fetches`` and ``_drain`` do what these do, one partition at a time."""
    taken = source(aiokafka_fetcher.Fetcher.fetched_records)
    for line in (
        "self._subscriptions.wait_for_assignment()",
        "self._notify(self._wait_consume_future)",
        "res_or_error.check_raise()",
        "waiter = self._create_fetch_waiter()",
        "waiter.result()",
    ):
        assert line in taken
    whole = source(aiokafka_fetcher.FetchResult.getall)
    assert whole.index("self.check_assignment(tp)") < whole.index("for msg in self._partition_records")
    assert "self._update_position()" in whole
    assert "next_fetch_offset" in source(aiokafka_fetcher.FetchResult._update_position)
    split = aiokafka_fetcher.PartitionRecords
    assert "self._records_iterator = self._unpack_records()" in source(split.__init__)
    assert "return next(self._records_iterator)" in source(split.__next__)
    assert "consumer_record = self._consumer_record(tp, record)" in source(split._unpack_records)
    made = source(split._consumer_record)
    for line in ("record.offset,", "record.timestamp,", "key = record.key", "value = record.value"):
        assert line in made


def test_what_does_not_end_is_still_passed_over_unless_we_seek_back():
    proceed = source(aiokafka_fetcher.Fetcher._proc_fetch_request)
    assert "tp_state.consumed_to(tp_state.position + 1)" in proceed
    assert "                            tp,\n                            fetch_offset,\n" in proceed


def test_errors_of_brokers_that_cannot_read_are_still_only_logged():
    proceed = source(aiokafka_fetcher.Fetcher._proc_fetch_request)
    assert "partition, error_code, highwater, *part_data in partitions" in proceed
    for error in consumer_thread._BROKER_CANNOT_READ:
        assert error.__name__ not in proceed


def test_what_was_prefetched_before_a_seek_is_still_dropped():
    check = source(aiokafka_fetcher.FetchResult.check_assignment)
    assert "position != self._partition_records.next_fetch_offset" in check


def test_recovery_without_tables_still_goes_straight_to_resuming():
    restart = source(faust_recovery.Recovery._restart_recovery.fun)
    assert "if not self.tables" in restart
    assert "self._resume_streams)(generation_id=generation_id)" in restart


def test_faust_still_resumes_before_it_seeks():
    """When this is mended (its issue 596), our own order is no longer a reason for the override."""
    theirs = source(faust_recovery.Recovery._resume_streams)
    assert theirs.index("consumer.resume_partitions(") < theirs.index("consumer.perform_seek()")


def test_rebalances_are_still_counted_before_anything_is_revoked():
    assert "self.rebalancing_count += 1" in source(faust_app.App.on_rebalance_start)
    revoked = source(driver.ConsumerRebalanceListener.on_partitions_revoked)
    assert revoked.index("on_rebalance_start()") < revoked.index("thread.on_partitions_revoked(")
    assert "_consumer_wait_empty" in source(faust_app.App._on_partitions_revoked)
    assert "_consumer_wait_empty" in source(faust_app.App._stop_consumer)


def test_an_offset_that_is_not_there_is_still_an_error_that_costs_no_records():
    proceed = source(aiokafka_fetcher.Fetcher._proc_fetch_request)
    assert "err = Errors.OffsetOutOfRangeError({tp: fetch_offset})" in proceed
    assert aiokafka_fetcher.OffsetResetStrategy.from_str("none") == aiokafka_fetcher.OffsetResetStrategy.NONE


def test_mode_still_logs_a_crash_without_a_traceback():
    """When it does not, ``OnceOnly`` in ``stream_attr/worker/ops/logs.py`` has nothing to drop."""
    assert 'self.log.exception("Crashed reason=%r", reason)' in source(mode_services.Service.crash)


def test_other_workers_addresses_still_come_with_the_assignment():
    assert "external_topics_metadata" in vars(PartitionAssignor)
