"""What only `make test-debian` has: pg_cron, in the one database of the server where it can be, and PgBouncer."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner.rollback import rollback

CRON_DATABASE = "companion_cron"


@pytest.fixture
def cron_database() -> Iterator[str]:
    """The address of pg_cron's database for this test alone, which it leaves as it was: with no job of anybody."""
    url = make_conninfo(os.environ["COMPANION_TEST_URL"], dbname=CRON_DATABASE)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(hashtextextended('companion_cron', 0))")
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION IF NOT EXISTS pg_cron")
            yield url
            if conn.execute("SELECT to_regclass('platform._companion_ledger')").fetchone() != (None,):
                rollback(url, everything=True, discard_data=True)
            conn.execute("SELECT cron.unschedule(jobid) FROM cron.job")
            conn.execute("TRUNCATE cron.job_run_details")
