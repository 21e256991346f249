"""A database of the embedded server to build something in and look at it; nobody's data is near."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from runner.postgres import embedded
from runner.postgres.session import identifier


@contextmanager
def scratch(extensions: Mapping[str, str] | None = None) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a new, empty database, which is dropped at the end; starts the embedded server.

    `extensions` says by name in which schemas some are made beforehand.
    """
    embedded.start()
    name = f"companion_scratch_{secrets.token_hex(4)}"
    admin_url, url = embedded.running_url("postgres"), embedded.running_url(name)
    assert admin_url and url
    with embedded.without_variables():
        admin = psycopg.connect(admin_url, autocommit=True)
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with embedded.without_variables():
                conn = psycopg.connect(url, autocommit=True, prepare_threshold=None)
            with conn:
                for extension, schema in (extensions or {}).items():
                    conn.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}".encode())
                    conn.execute(f"CREATE EXTENSION {identifier(extension)} SCHEMA {identifier(schema)}".encode())
                yield conn
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} (FORCE)")
