"""A small pooler of the tests' own; PgBouncer itself is in tests/debian/test_pgbouncer.py."""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from runner.history.instances import Target
from runner.jobs.schedule import list_jobs
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.runner.trees import TREES

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


GOOD = TREES / "good"


COMMANDS: dict[str, Callable[[str], Any]] = {
    "apply": lambda address: apply(Target(address), sql_root=GOOD),
    "rollback": lambda address: rollback(Target(address, ["demo"])),
    "jobs list": lambda address: list_jobs(Target(address)),
}
