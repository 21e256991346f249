"""How results and errors look, as plain text: results go to stdout, errors to stderr."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.errors import CompanionError, Fault, SqlError, TreeError

if TYPE_CHECKING:
    from datetime import datetime

    from runner.contract.changes import Change
    from runner.contract.check import Checked
    from runner.contract.verify import Verified
    from runner.history.status import InstanceStatus
    from runner.jobs.schedule import JobStatus
    from runner.migrate.apply import Done


# So many broken promises are named in one line.
MOST = 5


def relative(path: Path) -> str:
    """Return `path` as seen from the current folder, if it is below it."""
    try:
        return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
    except OSError:
        return str(path)


def caret_line(line: str, column: int) -> str:
    """Return the line that puts a caret under the 1-based `column` of `line`.

    Tabs are repeated, characters two cells wide count twice, combining ones not at all.
    """
    padding = []
    for char in line[: column - 1]:
        if char == "\t":
            padding.append("\t")
        elif not unicodedata.combining(char):
            padding.append("  " if unicodedata.east_asian_width(char) in "WF" else " ")
    return "".join(padding) + "^"


def excerpt(text: str, line: int, column: int) -> list[str]:
    """Return the source line with a caret under the column, with line numbers, after the line before it."""
    lines = text.split("\n")
    width = len(str(line))
    shown = []
    if line > 1 and lines[line - 2].strip():
        shown.append(f" {line - 1:>{width}} | {lines[line - 2]}")
    shown.append(f" {line:>{width}} | {lines[line - 1]}")
    shown.append(f" {'':>{width}} | {caret_line(lines[line - 1], column)}")
    return shown


def fault_line(fault: Fault) -> str:
    """Return one line for a broken convention."""
    where = relative(fault.path) + (f":{fault.line}" if fault.line else "")
    return f"{where} {fault.message}"


def error_lines(error: CompanionError) -> list[str]:
    """Return the lines that explain an error to a person."""
    message = error.message
    if isinstance(error, SqlError) and error.sqlstate:
        message += f" (SQLSTATE {error.sqlstate})"
    lines = [click.style("error: ", fg="red", bold=True) + message]
    if isinstance(error, SqlError):
        where = relative(error.path) if error.path else f"{error.name}, as recorded in the ledger"
        if error.line and error.column:
            lines.append(f"  at {where}:{error.line}:{error.column}")
            lines += excerpt(error.text, error.line, error.column)
        else:
            lines.append(f"  in {where}")
        said = {"detail": error.server_detail, "hint": error.server_hint, "context": error.context}
        lines += [f"{label}: {text}" for label, text in said.items() if text]
    elif isinstance(error, TreeError):
        lines += [f"  {fault_line(fault)}" for fault in error.faults]
    lines += [f"  {line}" for line in error.detail]
    if error.hint:
        lines.append(click.style("next: ", bold=True) + error.hint)
    return lines


def show_error(error: CompanionError) -> None:
    """Print an error for a person."""
    click.echo("\n".join(error_lines(error)), err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows in aligned columns under headings."""
    cells = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([click.style(lines[0], bold=True), *lines[1:]])


def summary(done: Sequence[Done]) -> str:
    """Return a table of what a run did: per instance, how many files and how long they took."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for one in done:
        counts.setdefault((one.system, one.schema, one.what), []).append(one.duration_ms)
    rows = [(system, schema, what, len(times), f"{sum(times)} ms") for (system, schema, what), times in counts.items()]
    return table(("system", "schema", "what", "files", "time"), rows)


def status_text(found: Sequence[InstanceStatus]) -> str:
    """Return the status of every instance: a table, then what is pending or has drifted."""
    rows = []
    for one in found:
        last = one.applied[-1] if one.applied else None
        rows.append(
            (
                one.instance.system,
                one.instance.schema,
                len(one.applied),
                len(one.state.pending),
                f"{last.id}, {last.applied_at:%Y-%m-%d %H:%M}" if last else "not installed",
            )
        )
    lines = [table(("system", "schema", "applied", "pending", "last"), rows)]
    for one in found:
        for label in ("pending", "edited", "missing", "out_of_order"):
            if (ids := getattr(one.state, label)) and one.applied:
                lines.append(f"{one.instance}: {label.replace('_', ' ')}: {', '.join(ids)}")
        applied = {entry.id for entry in one.applied}
        for id in one.begun:
            what, command = ("rollback of ", "rollback") if id in applied else ("", "apply")
            lines.append(f"{one.instance}: {what}{id} was begun and cut off; run `companion {command}` again")
    return "\n".join(lines)


def verified_text(found: Sequence[Verified]) -> str:
    """Return what `verify` found: a line for each instance, and one for each difference."""
    lines = []
    for one in found:
        count = len(one.differences)
        said = f"{count} difference{'' if count == 1 else 's'}" if count else "as the files make it"
        lines += [f"{one.instance}: {said}", *(f"  {line}" for line in one.differences)]
    return "\n".join(lines) if lines else "no system is installed"


def changes_text(found: Mapping[str, Sequence[Change]]) -> str:
    """Return the changes between contracts, a line for each, with those that break somebody first, and their count."""
    told = [(system, one) for system, changes in found.items() for one in changes]
    if not told:
        return "no change"
    lines = [f"breaks {', '.join(one.breaks)}: {system}: {one}" for system, one in told if one.breaks]
    breaking = len(lines)
    lines += [f"compatible: {system}: {one}" for system, one in told if not one.breaks]
    return "\n".join([*lines, f"{breaking} breaking, {len(told) - breaking} compatible"])


def checked_text(found: Sequence[Checked]) -> str:
    """Return a line for each contract that was checked."""
    lines = []
    for one in found:
        name = one.system if one.schema == one.system else f"{one.system} in {one.schema}"
        more = f"; and {len(one.broken) - MOST} more (--json lists them)" if len(one.broken) > MOST else ""
        broken = "; ".join(map(str, one.broken[:MOST]))
        lines.append(f"{name}: not kept: {broken}{more}" if one.broken else f"{name}: kept")
    return "\n".join(lines)


def jobs_text(found: Sequence[JobStatus]) -> str:
    """Return the status of every job: a table, then what failed, is out of step, or may wait for ever."""
    from runner.jobs.schedule import CRONTAB

    if not found:
        return "no installed system has jobs"

    def when(time: datetime | None) -> str:
        return f"{time:%Y-%m-%d %H:%M}" if time else "-"

    rows = [
        (
            one.job.name,
            one.job.schedule,
            one.by if one.state == "scheduled" else f"{one.by}: {one.state}",
            when(one.next_run),
            when(one.last.started_at if one.last else None),
            one.last.outcome if one.last else "-",
        )
        for one in found
    ]
    lines = [table(("job", "schedule", "by", "next run (UTC)", "last run (UTC)", "outcome"), rows)]
    lines += [
        f"{one.job.name} failed: {one.last.message}" for one in found if one.last and one.last.outcome == "failed"
    ]
    if not all(one.in_step for one in found):
        lines.append("next: `companion jobs sync` brings pg_cron in step")
    if any(one.by == CRONTAB and not one.last for one in found):
        lines.append("note: there is no pg_cron; jobs run where a crontab has the lines of `companion jobs crontab`")
    return "\n".join(lines)
