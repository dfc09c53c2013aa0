from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.event_files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Event files in a folder of the test."""
    return Files(tmp_path)
