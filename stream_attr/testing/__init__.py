"""Test an integration without a broker: send records to the real processor in memory, and run scenarios.

``Driver`` takes records and returns what is emitted. A scenario is a JSON file of given, when and then; run
files from the command line with ``python -m stream_attr.testing FILE…``, or with pytest as `failures` shows.
"""

from stream_attr.processor import Options
from stream_attr.processor.local import LocalDriver, LocalPartition
from stream_attr.testing.clock import ManualClock
from stream_attr.testing.driver import Driver, Emitted, Input, in_time_order
from stream_attr.testing.scenario import (
    Scenario,
    ScenarioError,
    differences,
    failures,
    not_as_expected,
    read_scenarios,
)
from stream_attr.testing.store import MemoryStore

__all__ = [
    "Driver",
    "Emitted",
    "Input",
    "LocalDriver",
    "LocalPartition",
    "ManualClock",
    "MemoryStore",
    "Options",
    "Scenario",
    "ScenarioError",
    "differences",
    "failures",
    "in_time_order",
    "not_as_expected",
    "read_scenarios",
]
