"""How a run looks while it goes on: a bar on a terminal, lines elsewhere. All of it goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from runner.progress import Progress


class PlainProgress(Progress):
    """One line per file and note, for logs and pipes."""

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        click.echo(f"{what} {instance} {id} ({milliseconds} ms)", err=True)

    def note(self, text: str) -> None:
        click.echo(f"note: {text}", err=True)

    def emit(self, sql: str) -> None:
        click.echo(sql, nl=False)


class BarProgress(PlainProgress):
    """A progress bar for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None)
        self._file = ""

    def begin(self, total: int) -> None:
        self._bar.update(self._task, total=total)
        if total:
            self._bar.start()

    def start(self, instance: str, id: str) -> None:
        self._file = f"{instance} {id}"
        self._bar.update(self._task, description=self._file)

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        self._bar.advance(self._task)

    def step(self, text: str) -> None:
        self._bar.update(self._task, description=f"{self._file}: {text}")

    def note(self, text: str) -> None:
        self._bar.console.print(f"note: {text}", markup=False, highlight=False)

    def close(self) -> None:
        """Take the bar off the screen."""
        self._bar.stop()


class _NotesOnly(PlainProgress):
    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        pass


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Progress]:
    """Yield the progress that fits stderr: a bar on a terminal, lines elsewhere, only notes when `quiet`."""
    if quiet:
        yield _NotesOnly()
    elif sys.stderr.isatty():
        bar = BarProgress()
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield PlainProgress()
