"""Demo data."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import UsageError
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.seed import seed
from tests.runner.trees import TREES


def test_demo_data_is_scaled_and_loaded_once(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "seeded")
    assert [one.rows for one in seed(Target(url), scale=3, sql_root=TREES / "seeded")] == [15]
    assert [one.rows for one in seed(Target(url), scale=3, sql_root=TREES / "seeded")] == [0]
    with pytest.raises(UsageError, match="not installed"):
        seed(Target(url, ["demo"], "elsewhere"), sql_root=TREES / "seeded")
