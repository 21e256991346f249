"""Commands that change what is applied: up, apply, rollback, seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.history.instances import Target
    from runner.migrate.apply import Done
    from runner.postgres.pace import Pace
    from runner.postgres.session import Database


@click.command()
@options.several(options.database, options.sql_root, options.quiet)
def up(database: str | None, sql_root: str | None, quiet: bool) -> None:
    """Make everything ready: server, all systems, demo data."""
    from runner.cli.display import summary
    from runner.cli.progress import shown
    from runner.migrate import up as work
    from runner.postgres.address import redact

    with shown(quiet=quiet) as progress:
        result = work.up(database, sql_root=sql_root, progress=progress)
    if result.done:
        click.echo(summary(result.done))
    if result.seeded:
        click.echo(f"demo data loaded: {', '.join(result.seeded)}")
    if not (result.done or result.seeded):
        click.echo("everything is applied already; nothing to do")
    click.echo(f"\nconnect to  {redact(result.url)}")
    click.echo("\nnext, try:")
    width = max(len(command) for command, _ in result.suggestions)
    for command, purpose in result.suggestions:
        click.echo(f"  {command:<{width}}  {purpose}")


@click.command()
@options.systems
@click.option("--to", metavar="ID", help="Apply up to and including this file (one system).")
@click.option("--dry-run", is_flag=True, help="Print the SQL that would be sent; change nothing.")
@click.option("--rehearse", is_flag=True, help="Run everything in one transaction and roll it back.")
@click.option(
    "--adopt", is_flag=False, flag_value="", metavar="[ID]",
    help="Record files, up to and including ID, as applied whose objects already exist.",
)  # fmt: skip
@options.several(
    options.schema, options.lock_timeout, options.index_timeout, options.database, options.sql_root, options.as_json
)
@options.wait
@options.quiet
@options.gathered
def apply(
    target: Target,
    pace: Pace,
    to: str | None,
    dry_run: bool,
    rehearse: bool,
    adopt: str | None,
    sql_root: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Apply what is pending of SYSTEM... (default: all), platform first."""
    from runner.history.status import up_to_date

    if dry_run + rehearse + (adopt is not None) > 1:
        raise UsageError("--dry-run, --rehearse and --adopt exclude each other")
    if dry_run and as_json:
        raise UsageError("--dry-run prints SQL; it has no --json")
    if adopt and to is not None:
        raise UsageError("--adopt ID and --to exclude each other")
    to = adopt or to
    nothing = "nothing to do: every file is applied"
    if to is None and up_to_date(target, sql_root=sql_root):
        _report([], as_json, nothing)
        return

    from runner.cli.progress import shown
    from runner.migrate import apply as work

    with shown(as_json=as_json, quiet=quiet) as progress:
        if dry_run:
            work.dry_run(target, sql_root=sql_root, to=to, pace=pace, progress=progress)
            return
        run = work.apply
        if rehearse:
            from runner.migrate.rehearse import rehearse as run
        elif adopt is not None:
            from runner.migrate.adopt import adopt as run
        done = run(target, sql_root=sql_root, to=to, pace=pace, progress=progress)
    _report(done, as_json, nothing, None if rehearse else target.database)


@click.command()
@options.systems
@click.option("--to", metavar="ID", help="Undo everything after this file, which stays.")
@click.option("--count", type=int, metavar="N", help="Undo the last N files.")
@click.option("--all", "everything", is_flag=True, help="Undo all files; without SYSTEM, of everything installed.")
@click.option("--discard-data", is_flag=True, help="Go on although rows are lost.")
@options.several(options.schema, options.lock_timeout, options.index_timeout, options.database, options.as_json)
@options.wait
@options.quiet
@options.gathered
def rollback(
    target: Target,
    pace: Pace,
    to: str | None,
    count: int | None,
    everything: bool,
    discard_data: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Undo the last file of SYSTEM, from the text recorded when it was applied."""
    from runner.cli.progress import shown
    from runner.migrate import rollback as work

    with shown(as_json=as_json, quiet=quiet) as progress:
        done = work.rollback(
            target,
            to=to,
            count=count,
            everything=everything,
            discard_data=discard_data,
            pace=pace,
            progress=progress,
        )
    _report(done, as_json, "nothing to do: no file is applied", target.database)


@click.command()
@options.systems
@click.option("--demo", is_flag=True, help="Load demo data.")
@click.option("--scale", type=click.IntRange(min=1), default=1, show_default=True, help="How many times as much.")
@options.several(options.schema, options.lock_timeout, options.database, options.sql_root, options.as_json)
@options.wait
@options.quiet
@options.gathered
def seed(target: Target, pace: Pace, demo: bool, scale: int, sql_root: str | None, as_json: bool, quiet: bool) -> None:
    """Load demo data of SYSTEM... (default: every installed one). Reference rows come with `apply`."""
    from runner.cli.display import table
    from runner.cli.progress import shown
    from runner.migrate import seed as work

    if not demo:
        raise UsageError("say --demo: reference rows are part of the chain and come with `companion apply`")
    with shown(as_json=as_json, quiet=quiet) as progress:
        done = work.seed(target, sql_root=sql_root, scale=scale, pace=pace, progress=progress)
    if as_json:
        options.print_json({"seeded": [vars(one) for one in done]})
    elif done:
        rows = [(one.system, one.schema, one.rows or "there already", f"{one.duration_ms} ms") for one in done]
        click.echo(table(("system", "schema", "rows", "time"), rows))
    else:
        click.echo("nothing to do: no installed system has demo data")


def _report(done: list[Done], as_json: bool, nothing: str, changed: Database | None = None) -> None:
    """Print what was done; `changed` is the database in which that may have changed jobs."""
    from runner.cli.display import summary

    if done and changed:
        from runner.jobs.schedule import out_of_step

        if out_of_step(changed):
            click.echo("note: pg_cron is in another database: `companion jobs sync` brings it in step", err=True)

    if as_json:
        options.print_json({"files": [vars(one) for one in done]})
    else:
        click.echo(summary(done) if done else nothing)
