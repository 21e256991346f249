"""Poolers between the runner and the server: one that shares sessions is refused, one that does not is as good as none.

The pooler here is a small one of the tests' own; PgBouncer itself is in tests/debian/test_pgbouncer.py.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner import pooler, retry
from runner.apply import apply
from runner.catalog import describe
from runner.errors import LockTimeoutError, UsageError
from runner.jobs import list_jobs
from runner.rollback import rollback
from runner.status import status
from tests.runner.conftest import TREES
from tests.runner.test_cli import run

GOOD = TREES / "good"
SSL, GSS = 80877103, 80877104


class Pooler:
    """Accepts clients and lends them sessions: for a transaction if `shared`, else for as long as they stay."""

    def __init__(self, url: str, *, shared: bool, size: int = 3, fifo: bool = False, clients: int = 100) -> None:
        self._stack = ExitStack()
        self._sessions: queue.Queue[socket.socket] = (queue.Queue if fifo else queue.LifoQueue)()
        self._parameters: dict[str, str] = {}
        self.pids: set[int] = set()
        for _ in range(size):
            conn = self._stack.enter_context(psycopg.connect(url, autocommit=True))
            self.pids.add(conn.info.backend_pid)
            # libpq has gone through the beginning; from here on the protocol is spoken by hand.
            session = self._stack.enter_context(socket.socket(fileno=os.dup(conn.fileno())))
            session.setblocking(True)
            self._sessions.put(session)
            for name in ("server_version", "server_encoding", "client_encoding", "standard_conforming_strings"):
                self._parameters[name] = conn.info.parameter_status(name) or ""
        self._shared, self._clients, self.accepted = shared, clients, 0
        self._listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        host, port = self._listener.getsockname()
        self.address = make_conninfo(url, host=host, port=port, sslmode="disable", password="")
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Pooler:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake up who accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._stack.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.accepted += 1
                if self.accepted > self._clients:
                    client.close()
                else:
                    threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        held: socket.socket | None = None
        with suppress(OSError), client:
            try:
                self._welcome(client)
                while (message := _read(client))[:1] != b"X":
                    held = held or self._sessions.get()
                    held.sendall(message)
                    # A query, or the end of a group of messages.
                    if message[:1] not in b"QS":
                        continue
                    answer = b""
                    while answer[:1] != b"Z":
                        answer = _read(held)
                        # To its end also when the client is gone: another one comes.
                        with suppress(OSError):
                            client.sendall(answer)
                    if self._shared and answer[-1:] == b"I":
                        self._sessions.put(held)
                        held = None
            finally:
                if held is not None:
                    self._sessions.put(held)

    def _welcome(self, client: socket.socket) -> None:
        while True:
            (length, code) = struct.unpack("!ii", _exactly(client, 8))
            _exactly(client, length - 8)
            if code not in (SSL, GSS):
                break
            client.sendall(b"N")
        client.sendall(_message(b"R", struct.pack("!i", 0)))
        for pair in self._parameters.items():
            client.sendall(_message(b"S", b"".join(part.encode() + b"\0" for part in pair)))
        client.sendall(_message(b"K", struct.pack("!ii", -self.accepted, 0)) + _message(b"Z", b"I"))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = connection.recv(length - len(found))
        if not part:
            raise OSError("closed")
        found += part
    return found


def _read(connection: socket.socket) -> bytes:
    head = _exactly(connection, 5)
    return head + _exactly(connection, struct.unpack("!i", head[1:])[0] - 4)


@pytest.fixture
def pooled(url: str) -> Iterator[Callable[..., Pooler]]:
    """Return a function that starts a pooler before the test's database."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Pooler(url, **options))


def contents(conn: psycopg.Connection[Any]) -> list[Any]:
    """Return what is in the database and who holds advisory locks there."""
    found = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_t' ORDER BY 1").fetchall()
    locks = conn.execute(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return [*found, describe(conn, "demo"), *locks]


COMMANDS: dict[str, Callable[[str], Any]] = {
    "apply": lambda address: apply(address, sql_root=GOOD),
    "rollback": lambda address: rollback(address, ["demo"]),
    "jobs list": list_jobs,
}


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_done_where_sessions_are_handed_on(
    url: str,
    conn: psycopg.Connection[Any],
    pooled: Callable[..., Pooler],
    command: Callable[[str], Any],
    applied: bool,
) -> None:
    if applied:
        apply(url, sql_root=GOOD, to="0001_a", systems=["demo"])
    before = contents(conn)
    shared = pooled(shared=True)
    with pytest.raises(UsageError, match="transaction mode") as caught:
        command(shared.address)
    assert caught.value.hint == "give the address of the server itself, or of a pooler in session mode"
    assert contents(conn) == before


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("fifo", [False, True], ids=["last one first", "in turn"])
def test_however_sessions_are_chosen_it_is_noticed(pooled: Callable[..., Pooler], size: int, fifo: bool) -> None:
    shared = pooled(shared=True, size=size, fifo=fifo)
    for _ in range(5):
        with pytest.raises(UsageError, match="transaction mode"):
            apply(shared.address, sql_root=GOOD)


def test_it_is_noticed_while_others_are_busy(pooled: Callable[..., Pooler]) -> None:
    shared = pooled(shared=True, size=2)
    over = threading.Event()

    def work() -> None:
        with psycopg.connect(shared.address, prepare_threshold=None) as busy:
            while not over.is_set():
                busy.execute("SELECT pg_sleep(0.001)")
                busy.commit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            with pytest.raises(UsageError, match="transaction mode"):
                apply(shared.address, sql_root=GOOD)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_pooler_that_keeps_sessions_apart_is_as_good_as_none(
    conn: psycopg.Connection[Any], pooled: Callable[..., Pooler]
) -> None:
    kept = pooled(shared=False)
    assert len(apply(kept.address, sql_root=GOOD)) == 2
    assert kept.accepted > 2
    assert [one.state.pending for one in status(kept.address, sql_root=GOOD)] == [[]]
    assert len(rollback(kept.address, ["demo"], everything=True)) == 2
    assert describe(conn, "demo") == {}


def test_one_that_has_no_second_session_to_give_is_taken_for_such_a_one(
    pooled: Callable[..., Pooler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "PATIENCE", 0.3)
    full = pooled(shared=False, size=1)
    assert len(apply(full.address, sql_root=GOOD)) == 2
    assert full.accepted == 2
    closed = pooled(shared=False, clients=1)
    assert len(rollback(closed.address, ["demo"])) == 1
    assert closed.accepted >= 2


def test_a_lock_is_waited_for_no_longer_where_nobody_can_look_who_holds_it(
    conn: psycopg.Connection[Any], pooled: Callable[..., Pooler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "PATIENCE", 0.3)
    monkeypatch.setattr(retry, "PAUSES", (0.1,))
    full = pooled(shared=False, size=1)
    apply(full.address, sql_root=GOOD)
    conn.execute("BEGIN; LOCK TABLE demo.b")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(rollback, full.address, ["demo"], lock_timeout=0.4)
        with pytest.raises(LockTimeoutError, match="blocked by another session"):
            future.result(timeout=10)


def test_the_server_itself_is_asked_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(pooler, "shares_sessions", fail)
    assert len(apply(url, sql_root=GOOD)) == 2


def test_status_needs_no_session_and_leaves_no_setting_behind(url: str, pooled: Callable[..., Pooler]) -> None:
    apply(url, sql_root=GOOD)
    shared = pooled(shared=True, size=1)
    code, out, err = run("status", "--json", "--database", shared.address)
    assert (code, err) == (0, "")
    assert '"applied"' in out
    assert run("apply", "--database", shared.address)[0] == 0
    with psycopg.connect(shared.address) as after:
        settings = after.execute(
            "SELECT pg_backend_pid(), current_setting('transaction_read_only'), current_setting('statement_timeout'),"
            " (SELECT count(*) FROM pg_settings WHERE source = 'session' AND name <> 'client_encoding')"
        ).fetchone()
    assert settings == (*shared.pids, "off", "0", 0)


def test_the_command_line_says_which_address_to_give(url: str, pooled: Callable[..., Pooler]) -> None:
    code, out, err = run("apply", "--database", pooled(shared=True).address)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "error: the address leads to a connection pooler that hands server sessions on between transactions"
        " (PgBouncer in transaction mode); nothing was changed",
        "next: give the address of the server itself, or of a pooler in session mode",
    ]
