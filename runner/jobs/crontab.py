"""Jobs as lines of a crontab, for want of pg_cron."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from psycopg.conninfo import make_conninfo

from runner.history.instances import Target
from runner.jobs.declared import declared, instances
from runner.postgres.address import completed, parse
from runner.postgres.session import session


def crontab(target: Target) -> list[str]:
    """Return the lines of a crontab that run every job.

    No line holds a password: libpq reads it from ~/.pgpass.
    """
    with session(target.database) as s:
        jobs = declared(s, instances(s, target))
        address = {**completed(s.conninfo), **parse(s.conninfo)}
        address |= {"dbname": s.conn.info.dbname, "user": s.conn.info.user}
        password = address.pop("password", None) or s.conn.info.password
    url = make_conninfo("", **address)
    lines = ["# Times are UTC. A cron that does not know CRON_TZ (Debian's) takes them in the machine's time zone."]
    if password:
        lines.append("# The password is not here: put it into ~/.pgpass of the user whose crontab this is.")
    lines.append("CRON_TZ=UTC")
    for job in jobs:
        words = shlex.join([*_program(), "jobs", "run", job.name, "--quiet", "--database", url])
        # To cron a percent sign ends the command.
        lines.append(f"{job.schedule} {words} >/dev/null".replace("%", "\\%"))
    return lines


def _program() -> list[str]:
    """Return the words that start this very program from any folder."""
    started = Path(sys.argv[0])
    return [str(started.absolute())] if started.name == "companion" else [sys.executable, "-m", "runner"]
