"""Every way a command can fail, each with its exit code.

Exit codes: 0 done, 1 failed, 2 used wrongly, 3 something is pending or has drifted, 130 and 143 ended by Ctrl-C and
SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class CompanionError(Exception):
    """A failure that is explained to the user: `message`, optional `detail` lines and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, detail: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = list(detail)
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain data for `--json`."""
        data: dict[str, Any] = {"type": type(self).__name__, "message": self.message}
        if self.detail:
            data["detail"] = self.detail
        if self.hint:
            data["hint"] = self.hint
        return data


class UsageError(CompanionError):
    """The command was asked for something that makes no sense: unknown system, missing option."""

    exit_code = 2


class NoDatabaseError(UsageError):
    """No database was named and the embedded server is not running."""


class DatabaseError(CompanionError):
    """The server cannot be reached, refuses us, or went away."""


class ServerError(CompanionError):
    """The embedded server could not be started or stopped."""


class LedgerError(CompanionError):
    """The history in the database cannot be trusted or does not fit what was asked."""


class DriftError(CompanionError):
    """Applied files were edited, deleted or overtaken; or live objects differ from what the files make."""

    exit_code = 3


class LockTimeoutError(CompanionError):
    """A lock was not granted in time, in any of the attempts; the message names the blocker."""


class RehearsalError(CompanionError):
    """A file cannot be rehearsed inside one transaction."""


class LintError(CompanionError):
    """A linter found something, or is not installed."""


class JobError(CompanionError):
    """A job's command failed; its changes were undone and the run recorded."""


class StoppedError(CompanionError):
    """Ctrl-C or SIGTERM ended the command: the exit code is the shell's, 128 and the number of the signal."""

    def __init__(self, message: str, *, signal: int, detail: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.exit_code = 128 + signal


class Stop(KeyboardInterrupt):
    """SIGTERM, as an exception of its own; Ctrl-C is KeyboardInterrupt itself."""


def stopped(state: str, cause: BaseException, *, detail: Sequence[str] = (), hint: str | None = None) -> StoppedError:
    """Return the error that says by what a command was ended, and in what state it left things."""
    word, number = ("ended by SIGTERM", 15) if isinstance(cause, Stop) else ("interrupted", 2)
    return StoppedError(f"{word}; {state}", signal=number, detail=detail, hint=hint)


class JobRunningError(CompanionError):
    """Another run of the same job goes on."""

    exit_code = 3


@dataclass(frozen=True)
class Fault:
    """One broken convention of one file: where (line is 1-based) and what."""

    path: Path
    message: str
    line: int | None = None


class TreeError(CompanionError):
    """The files on disk break the conventions; holds every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        count = len(faults)
        super().__init__(
            f"{count} fault{'s' if count > 1 else ''} in the SQL files; nothing was changed",
            hint="correct the files named above and run the command again",
        )
        self.faults = list(faults)

    def as_dict(self) -> dict[str, Any]:
        faults = [{"file": str(f.path), "line": f.line, "message": f.message} for f in self.faults]
        return super().as_dict() | {"faults": faults}


@dataclass(frozen=True)
class Loss:
    """Rows that a rollback would destroy: of a whole table, or the values of one column."""

    table: str
    rows: int
    column: str | None = None

    def __str__(self) -> str:
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        return f"{self.table}.{self.column}: {rows} with a value" if self.column else f"{self.table}: {rows}"


class DataLossError(CompanionError):
    """A rollback would destroy rows and `--discard-data` was not given."""

    def __init__(self, losses: Sequence[Loss]) -> None:
        super().__init__(
            "the rollback would lose data; nothing was changed",
            detail=[str(loss) for loss in losses],
            hint="save the rows, or add --discard-data to lose them",
        )
        self.losses = list(losses)

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {"losses": [vars(loss) for loss in self.losses]}


class SqlError(CompanionError):
    """The server refused a file.

    `path` is None when the text came from the ledger. `position` is the 1-based character in `text` where the server
    found the error, or None when it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        name: str,
        path: Path | None,
        text: str,
        position: int | None,
        sqlstate: str | None,
        server_detail: str | None = None,
        server_hint: str | None = None,
        context: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.path = path
        self.text = text
        self.position = position
        self.sqlstate = sqlstate
        self.server_detail = server_detail
        self.server_hint = server_hint
        self.context = context

    @property
    def line(self) -> int | None:
        """The 1-based line of the error."""
        return None if self.position is None else self.text.count("\n", 0, self.position - 1) + 1

    @property
    def column(self) -> int | None:
        """The 1-based column, in characters, of the error."""
        if self.position is None:
            return None
        return self.position - 1 - self.text.rfind("\n", 0, self.position - 1)

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {
            "file": str(self.path) if self.path else None,
            "id": self.name,
            "line": self.line,
            "column": self.column,
            "sqlstate": self.sqlstate,
            "server_detail": self.server_detail,
            "server_hint": self.server_hint,
            "context": self.context,
        }
