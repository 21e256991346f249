"""Commands about contracts: export, diff, check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.history.instances import Target
    from runner.postgres.pace import Pace


@click.group()
def contract() -> None:
    """What consumers may rely on: written down, compared, checked."""


_audience = click.option(
    "--for", "audiences", multiple=True, type=click.Choice(["readers", "writers", "callers"]),
    help="Whom it is about; may be repeated. Default: all.",
)  # fmt: skip


@contract.command("export")
@options.systems
@click.option("--from-files", is_flag=True, help="Of what the files make in a scratch database of the embedded server.")
@click.option("--output", metavar="FOLDER", help="Write FOLDER/<system>.json; else print the only one.")
@options.several(options.schema, options.lock_timeout, options.database, options.sql_root)
def contract_export(
    systems: tuple[str, ...],
    from_files: bool,
    output: str | None,
    schema: str | None,
    lock_timeout: float,
    database: str | None,
    sql_root: str | None,
) -> None:
    """Write the contracts of what is installed."""
    from pathlib import Path

    from runner.cli.progress import shown
    from runner.contract import export as work
    from runner.contract.document import write
    from runner.history.instances import Target
    from runner.postgres.address import resolve
    from runner.postgres.pace import Pace

    if from_files:
        if schema is not None or database is not None:
            raise UsageError("--from-files goes with neither --schema nor --database")
        with shown(quiet=True) as progress:
            found = work.of_files(systems, sql_root=sql_root, progress=progress)
    else:
        with shown() as progress:
            target = Target(resolve(database), systems, schema)
            found = work.installed(target, pace=Pace(lock_timeout), progress=progress)
    texts = {system: write(found[system]) for system in systems or found}
    if output is None:
        if len(texts) != 1:
            raise UsageError(f"there are {len(texts)} contracts; name one system, or a folder with --output")
        click.echo("".join(texts.values()), nl=False)
        return
    for system, text in texts.items():
        path = Path(output) / f"{system}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        same = path.is_file() and path.read_text() == text
        if not same:
            path.write_text(text)
        click.echo(f"{path}: {'unchanged' if same else 'written'}")


@contract.command("diff")
@click.argument("old", type=click.Path(exists=True))
@click.argument("new", type=click.Path(exists=True))
@options.several(_audience, options.as_json)
def contract_diff(old: str, new: str, audiences: tuple[str, ...], as_json: bool) -> int:
    """Say what changed between two contracts, and whom it breaks.

    OLD and NEW are files, or folders of contracts. The exit code is 3 if a change breaks anybody; docs/contract.md
    gives the rules.
    """
    from pathlib import Path

    from runner.contract import changes as work
    from runner.contract.document import read_all

    found = work.changes_of_all(read_all(Path(old)), read_all(Path(new)))
    if as_json:
        options.print_json({"systems": {name: [one.as_dict() for one in some] for name, some in found.items()}})
    else:
        from runner.cli.display import changes_text

        click.echo(changes_text(found))
    return 3 if any(work.broken(some, audiences) for some in found.values()) else 0


@contract.command("check")
@options.systems
@click.option("--contract", "path", type=click.Path(exists=True), metavar="FILE", help="File or folder; else our own.")
@options.several(_audience, options.schema, options.lock_timeout)
@options.several(options.database, options.sql_root, options.as_json)
@options.gathered
def contract_check(
    target: Target, pace: Pace, path: str | None, audiences: tuple[str, ...], sql_root: str | None, as_json: bool
) -> int:
    """Say whether a database keeps its contract.

    In one line for each system, with what is missing; the exit code is 3 if anything is.
    """
    from pathlib import Path

    from runner.contract import check as work

    contract = Path(path) if path else None
    found = work.check(target, contract=contract, audiences=audiences, sql_root=sql_root, pace=pace)
    if as_json:
        options.print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.cli.display import checked_text

        click.echo(checked_text(found))
    return 3 if any(one.broken for one in found) else 0
