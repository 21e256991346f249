"""Fixtures of Othello's tests: in which schema they run, and the people of world.py."""

from __future__ import annotations

import pytest

from tests.databases import INSTANCES
from tests.othello.world import World, build_world
from tests.people import Person


@pytest.fixture(params=INSTANCES["othello"])
def schema(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def world(db: Person) -> World:
    """Ann and Bob, in the transaction of `db`."""
    return build_world(db)
