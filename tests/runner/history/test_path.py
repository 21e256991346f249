"""The path under which files run."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import (
    DatabaseError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.runner.state import ids
from tests.runner.trees import TREES


def test_a_path_on_which_an_api_role_may_create_is_refused(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; GRANT CREATE ON SCHEMA demo TO PUBLIC")
    with pytest.raises(DatabaseError, match="may create objects") as caught:
        apply(Target(url), sql_root=TREES / "good")
    assert caught.value.hint == 'REVOKE CREATE ON SCHEMA "demo" FROM PUBLIC'
    assert ids(conn) == []
