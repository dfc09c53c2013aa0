"""What is reckoned of file descriptors, and what is said where the system allows fewer."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from stream_attr.worker.startup.descriptors import DescriptorsError, need, require


@pytest.mark.parametrize(("brokers", "descriptors", "threads"), [(1, 32 + 14, 4), (3, 32 + 20, 6)])
def test_each_partition_takes_a_client_and_a_store(brokers, descriptors, threads):
    one, two = (need(partitions, brokers) for partitions in (1, 2))
    assert (two.descriptors - one.descriptors, two.threads - one.threads) == (descriptors, threads)


@pytest.mark.parametrize(("missing", "holds"), [(0, None), (1, 7), (46, 7), (47, 6), (7 * 46, 1)])
def test_a_limit_below_what_all_partitions_need_is_warned_of(missing, holds, caplog):
    caplog.set_level(logging.WARNING)
    require(need(8, 1).descriptors - missing, 8, 1)
    assert (f"none of them ever holds more than {holds} partitions" in caplog.text) is (holds is not None)
    assert len(caplog.records) == (holds is not None)


def test_a_limit_below_what_one_partition_needs_is_refused():
    least = need(1, 1).descriptors
    require(least, 1, 1)
    with pytest.raises(DescriptorsError, match=f"needs up to {least} file descriptors"):
        require(least - 1, 1, 1)


def test_the_limit_is_raised_as_far_as_the_process_may():
    program = (
        "import resource\n"
        "from stream_attr.worker.startup.descriptors import raise_limit\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))\n"
        "print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["128"] * 3
