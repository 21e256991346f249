"""The embedded server, in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from runner.errors import ServerError
from runner.postgres import embedded


def test_it_starts_stops_and_starts_again(home: Path) -> None:
    assert embedded.running_url() is None and not embedded.stop()
    for _ in range(2):
        url = embedded.start()
        assert url == embedded.running_url() == embedded.start() == embedded.require_url()
        with psycopg.connect(url) as conn:
            assert conn.info.dbname == "companion"
        assert embedded.stop()
    with pytest.raises(ServerError, match="not running"):
        embedded.require_url()


def test_a_stale_pid_file_is_not_a_running_server(home: Path) -> None:
    embedded.data_folder().mkdir()
    (embedded.data_folder() / "postmaster.pid").write_text("999999999\n/x\n0\n5432\n/x\n\n0 0\nready   \n")
    assert embedded.running_url() is None


@pytest.mark.skipif("os.geteuid() != 0", reason="only root's server runs as another user")
def test_root_does_not_open_a_closed_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("COMPANION_HOME", str(closed / "companion"))
    with pytest.raises(ServerError, match="closed to others"):
        embedded.start()
    assert closed.stat().st_mode & 0o777 == 0o700
