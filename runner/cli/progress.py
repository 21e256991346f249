"""How a run looks while it goes on: a bar on a terminal, lines elsewhere. All of it goes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from runner.progress import Progress


class PlainProgress(Progress):
    """One line per file and note, for logs and pipes."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        click.echo(f"{what} {instance} {id} ({milliseconds} ms)", err=True)

    def about(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._print(text)

    def notice(self, text: str) -> None:
        self._print(text)

    def note(self, text: str) -> None:
        self._print(f"note: {text}")

    def emit(self, sql: str) -> None:
        click.echo(sql, nl=False)

    def _print(self, line: str) -> None:
        click.echo(line, err=True)


class BarProgress(PlainProgress):
    """A progress bar for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        super().__init__()
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

    def _print(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Take the bar off the screen."""
        self._bar.stop()


class _Json(PlainProgress):
    """Nothing of single files: the document has them."""

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        pass


class _Quiet(_Json):
    """Only what a person should know."""

    def about(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


@contextmanager
def shown(*, as_json: bool = False, quiet: bool = False) -> Iterator[Progress]:
    """Yield the progress that fits stderr: a bar on a terminal, lines elsewhere.

    Less of it where one JSON document is the result (`as_json`), or only waits and warnings are wanted (`quiet`).
    """
    if quiet or as_json:
        yield _Quiet() if quiet else _Json()
    elif sys.stderr.isatty():
        bar = BarProgress()
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield PlainProgress()
