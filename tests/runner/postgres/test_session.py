"""Connecting, and what is said when it fails."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import (
    CompanionError,
    DatabaseError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.runner.state import ids
from tests.runner.trees import TREES


@pytest.mark.parametrize(
    "address",
    ["nonsense", "postgresql://u:s3cret@[", "postgresql://postgres:s3cret@127.0.0.1:1/db", "host=/nowhere dbname=x"],
)
def test_a_wrong_address_is_explained_without_its_password(address: str) -> None:
    with pytest.raises(CompanionError) as caught:
        apply(Target(address), sql_root=TREES / "good")
    assert "s3cret" not in str(caught.value.as_dict())


def test_no_permission_is_explained(url: str, conn: psycopg.Connection) -> None:
    with psycopg.connect(url, options="-c role=pg_monitor") as weak, pytest.raises(DatabaseError, match="42501"):
        apply(Target(weak), sql_root=TREES / "good")
    assert ids(conn) == []
