"""The model does for these tests what the processor does already."""

from collections.abc import Iterator

import pytest

from tests.properties.missing import left_out


@pytest.fixture(autouse=True, scope="package")
def _missing() -> Iterator[None]:
    with left_out():
        yield
