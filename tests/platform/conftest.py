"""The shared layer is tried out on tables of a scratch schema that is rolled back with everything in it."""

from __future__ import annotations

import pytest


@pytest.fixture
def schema() -> str:
    return "scratch"
