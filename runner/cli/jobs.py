"""Commands about scheduled jobs: list, sync, crontab, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli import options

if TYPE_CHECKING:
    from runner.history.instances import Target
    from runner.postgres.pace import Pace


@click.group()
def jobs() -> None:
    """Scheduled jobs, with pg_cron or without."""


_cron_database = click.option(
    "--cron-database", metavar="NAME", help="Database where pg_cron is installed; else where the server says."
)


@jobs.command("list")
@options.systems
@options.several(options.schema, _cron_database, options.database, options.as_json)
@options.gathered
def jobs_list(target: Target, cron_database: str | None, as_json: bool) -> int:
    """Show next and last run of every job.

    Who runs it, how the last run ended, and what pg_cron has otherwise than declared: then the exit code is 3.
    """
    from runner.jobs import schedule as work

    found = work.list_jobs(target, cron_database=cron_database)
    if as_json:
        options.print_json({"jobs": [one.as_dict() for one in found]})
    else:
        from runner.cli.display import jobs_text

        click.echo(jobs_text(found))
    return 0 if all(one.in_step for one in found) else 3


@jobs.command("sync")
@options.systems
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@options.several(options.schema, _cron_database, options.database, options.as_json)
@options.quiet
@options.gathered
def jobs_sync(target: Target, dry_run: bool, cron_database: str | None, as_json: bool, quiet: bool) -> None:
    """Schedule all jobs with pg_cron.

    Also with one in another database of the server, and where it came after the jobs; what is there as declared stays.
    """
    from runner.cli.display import table
    from runner.cli.progress import shown
    from runner.jobs import schedule as work

    with shown(as_json=as_json, quiet=quiet) as progress:
        done = work.sync(target, cron_database=cron_database, dry_run=dry_run, progress=progress)
    if as_json:
        options.print_json({"jobs": [{"name": name, "what": what} for name, what in done.items()]})
    elif done:
        click.echo(table(("in pg_cron", "what"), sorted(done.items())))
    else:
        click.echo("nothing to do: pg_cron has every job as declared")


@jobs.command("crontab")
@options.systems
@options.several(options.schema, options.database)
@options.gathered
def jobs_crontab(target: Target) -> None:
    """Print lines for a crontab, for want of pg_cron."""
    from runner.jobs import crontab as work

    click.echo("\n".join(work.crontab(target)))


@jobs.command("run")
@click.argument("name")
@options.several(options.schema, options.lock_timeout, options.database, options.as_json)
@options.quiet
@options.gathered
def jobs_run(target: Target, pace: Pace, name: str, as_json: bool, quiet: bool) -> None:
    """Run job NAME now.

    The exit code is 1 if it fails, 3 if another run of it goes on. NAME is SCHEMA:JOB, or JOB where only one has it.
    """
    from runner.cli.progress import shown
    from runner.jobs import runs as work

    with shown(as_json=as_json, quiet=quiet) as progress:
        job, run, milliseconds = work.run(target, name, pace=pace, progress=progress)
    if as_json:
        outcome = {"outcome": run.outcome, "message": run.message, "duration_ms": milliseconds}
        options.print_json({"name": job.name, "started_at": run.started_at.isoformat(), **outcome})
    else:
        click.echo(f"{job.name} {run.outcome} ({milliseconds} ms): {run.message}")
