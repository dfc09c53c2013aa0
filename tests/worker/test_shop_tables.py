"""How far a partition knows settings and roster, as its record in the changelog says."""

from __future__ import annotations

import orjson
import pytest

from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.processor.ports import Record
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.task.shop_tables import GlobalTables


class AnyRegistry:
    """Takes every record."""

    def apply(self, record):
        pass


@pytest.fixture
def global_tables():
    """It knows two settings records, of shops jd:1 and jd:2; nobody has a broker here."""
    made = GlobalTables(WorkerConfig(broker="127.0.0.1:1"), AnyRegistry())
    made._unapplied.extend(
        [Record(SETTINGS, 0, n, n, b"jd:%d" % (n + 1), b'{"shop_id":"jd:%d"}' % (n + 1)) for n in range(2)]
    )
    assert made._apply()
    yield made
    made.close()


@pytest.mark.parametrize(
    "known", [b'{"shop-settings":1,"agent-roster":0}', b'{"shop-settings":1,"agent-roster":0,"version":1}']
)
def test_offsets_of_an_unversioned_record_are_not_judged_again(global_tables, known):
    changes = global_tables.changes_since(known, 0)
    assert changes.shops == {"jd:2"}
    assert orjson.loads(changes.offsets) == {SETTINGS: 2, ROSTER: 0, "version": 1}
    assert global_tables.changes_since(changes.offsets, 0) is None


def test_a_record_of_a_newer_program_is_refused(global_tables):
    with pytest.raises(NewerVersionError, match="topic buyer-state-changelog, key knowledge: this record"):
        global_tables.changes_since(b'{"version":2,"read":[1]}', 0)
