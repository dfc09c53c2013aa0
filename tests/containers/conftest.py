"""The installation of these tests, and what is said where there can be none.

``STREAM_ATTR_REQUIRE_CONTAINERS=1``   fail instead of skipping where containers cannot be run.
``STREAM_ATTR_COMPILED=1``             build the image compiled; plain otherwise, which takes minutes less.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.containers import stand_ins
from tests.containers.installation import Installation

REQUIRED = os.environ.get("STREAM_ATTR_REQUIRE_CONTAINERS") == "1"
NO_CONTAINERS = "no containers: "
"""How the reason of a skipped test begins."""


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The services of ``deploy/compose.yaml``, both workers ready; nothing but images is left of it."""
    if reason := stand_ins.why_not():
        if REQUIRED:
            pytest.fail(
                f"Containers are required (STREAM_ATTR_REQUIRE_CONTAINERS=1): {reason}", pytrace=False
            )
        pytest.skip(f"{NO_CONTAINERS}{reason}")
    made = Installation(tmp_path_factory.mktemp("containers"))
    made.build()
    try:
        made.up()
        yield made
    finally:
        made.down()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that no container was started: a green run proves nothing about ``deploy/`` then."""
    skipped = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())}
    if any(NO_CONTAINERS in reason for reason in skipped):
        terminalreporter.section("CONTAINERS NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.line(
            "The image was not built, deploy/compose.yaml not brought up. `make containers` does both, and "
            "installs what it takes where it may. The skipped tests say what is missing.",
            red=True,
        )
