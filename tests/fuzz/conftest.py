"""The world in which people make statements at random, and how often they do."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Protocol

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_postgresql.executors import NoopExecutor

from tests.databases import cloned
from tests.fuzz.model import MODELS
from tests.fuzz.statements import Draw
from tests.fuzz.world import World


class Attempts(Protocol):
    """Makes an attempt so many times, each with other choices, and of one that fails a small one.

    Called again it makes other choices still; in another run of the tests the same ones again, unless --at-random.
    """

    def __call__(self, times: int, attempt: Callable[[Draw], None], *, small: bool = True) -> None:
        """Raise what an attempt raises; `small` is False where nobody reads it."""


@pytest.fixture(scope="module", params=sorted(MODELS))
def world(request: pytest.FixtureRequest, bare: NoopExecutor, template_of: Callable[[str], str]) -> Iterator[World]:
    """A world in a database with the system alone, in a transaction that is never committed."""
    with cloned(bare, "world", template_of(request.param)) as url, closing(psycopg.connect(url)) as conn:
        yield World(conn, request.param)


@pytest.fixture
def statements(request: pytest.FixtureRequest) -> int:
    """How many statements are to be made in each system."""
    return int(request.config.getoption("--statements"))


@pytest.fixture
def attempts(request: pytest.FixtureRequest) -> Attempts:
    """See Attempts."""
    at_random = request.config.getoption("--at-random")
    seeds = (random.getrandbits(64) if at_random else number for number in itertools.count())

    def attempted(times: int, attempt: Callable[[Draw], None], *, small: bool = True) -> None:
        @settings(
            max_examples=times,
            database=None,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=[Phase.generate, *([Phase.shrink] if small else [])],
            print_blob=True,
        )
        @seed(next(seeds))
        @given(st.data())
        def one(data: st.DataObject) -> None:
            attempt(data.draw)

        one()

    return attempted
