"""Trials judged in the background of a console, one after the other, in processes of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from stream_attr.errors import StreamAttrError
from stream_attr.lab.event_folder import EventFolder
from stream_attr.lab.judge import judge
from stream_attr.lab.pay import payroll_of_ledger
from stream_attr.lab.result import LabResult
from stream_attr.lab.roster_change import judge_roster
from stream_attr.lab.rule_sets import RuleSet, composed
from stream_attr.lab.trials import State, Trial, Trials
from stream_attr.rules.shop.days import day_name

__all__ = ["Runner"]

logger = logging.getLogger(__name__)

_PROGRESS_EVERY_S: Final = 1.0
_LOOK_EVERY_S: Final = 5.0
"""How soon a trial is begun that another process was asked for."""
_PROCESSES: Final = 2
"""At least so many judge, so that pages are answered meanwhile."""
_STOPPED: Final = "the console was stopped"


class _NobodyWaitsError(Exception):
    """The trial was cancelled, or the console stops."""


class Runner:
    """Judges trials over a folder of stored events, until it is stopped."""

    def __init__(self, pool: ConnectionPool[Connection[Any]], folder: Path) -> None:
        """Look at the folder; raise UnusableError where it holds no stored events."""
        self._pool = pool
        self._folder = folder
        self._stop = threading.Event()
        self._asked = threading.Event()
        EventFolder(folder)
        self._thread = threading.Thread(target=self._run, name="lab", daemon=True)

    @property
    def shops(self) -> list[str]:
        """The shops whose events are stored now."""
        return EventFolder(self._folder).shops

    def check(self, shop_id: str, rule_sets: Sequence[RuleSet]) -> None:
        """Raise UnusableError where a shop's events cannot be judged by rule sets."""
        composed(shop_id, rule_sets, EventFolder(self._folder).shop(shop_id).settings_and_roster.settings)

    def start(self) -> None:
        """Begin with what waits."""
        self._thread.start()

    def look(self) -> None:
        """Begin now with a trial that was asked for."""
        self._asked.set()

    def stop(self) -> None:
        """Cancel the trial at work, and end."""
        self._stop.set()
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._asked.clear()
            try:
                with self._pool.connection() as connection:
                    trial = Trials(connection).begin()
                if trial is not None:
                    self._try(trial)
                    continue
            except (psycopg.Error, PoolTimeout) as error:
                logger.warning("the lab waits for the database: %s", error)
            self._asked.wait(_LOOK_EVERY_S)

    def _try(self, trial: Trial) -> None:
        state, problem, result = State.DONE, None, None
        try:
            result = self._judged(trial)
        except _NobodyWaitsError:
            state, problem = State.CANCELLED, _STOPPED if self._stop.is_set() else None
        except StreamAttrError as error:
            state, problem = State.FAILED, str(error)
        except (psycopg.Error, PoolTimeout):
            raise
        except Exception:
            logger.exception("a trial of the lab has failed")
            state, problem = State.FAILED, "an error of the program: its log says which"
        with self._pool.connection() as connection:
            Trials(connection).end(trial, state, problem, result)

    def _judged(self, trial: Trial) -> LabResult:
        reported_s = 0.0

        def report_progress(read: int, total: int) -> None:
            nonlocal reported_s
            if self._stop.is_set():
                raise _NobodyWaitsError
            now_s = time.monotonic()
            if now_s - reported_s >= _PROGRESS_EVERY_S:
                reported_s = now_s
                with self._pool.connection() as connection:
                    if not Trials(connection).set_progress(trial, read, total):
                        raise _NobodyWaitsError

        if trial.roster is not None:
            before, after = (one.name for one in trial.rule_sets)
            return judge_roster(
                self._folder,
                trial.roster,
                trial.period,
                (before, after),
                processes=_PROCESSES,
                progress=report_progress,
            )
        payroll = None
        if trial.scheme_id is not None:
            month = day_name(trial.period.first)[:7]
            with self._pool.connection() as connection:
                payroll = payroll_of_ledger(connection, trial.scheme_id, month)
        return judge(
            self._folder,
            trial.shop_id,
            trial.rule_sets,
            trial.period,
            payroll=payroll,
            processes=_PROCESSES,
            progress=report_progress,
        )
