"""The command line: options in, results and exit codes out. It knows no SQL, and imports each command's work late."""

from __future__ import annotations

import gc

# A command is over long before there is garbage worth collecting; collecting while modules load costs a fifth.
gc.disable()

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runner import __version__
from runner.errors import CompanionError, UsageError

if TYPE_CHECKING:
    from runner.apply import Done
    from runner.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])


def main(args: list[str] | None = None) -> None:
    """Run `companion`: exit 0 done, 1 failed, 2 used wrongly, 3 something is pending or has drifted."""
    args = sys.argv[1:] if args is None else args
    as_json = "--json" in args
    try:
        code = cli.main(args, prog_name="companion", standalone_mode=False) or 0
    except CompanionError as error:
        code = _fail(error, as_json)
    except click.ClickException as error:
        if as_json:
            code = _fail(UsageError(error.format_message()), as_json)
        else:
            error.show()
            code = 2
    except (click.Abort, KeyboardInterrupt):
        code = _fail(CompanionError("interrupted; the file that was running was undone"), as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        code = _fail(CompanionError(f"{error.strerror or error}{where}"), as_json)
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking the interpreter down piece by piece takes longer than many a command.
    os._exit(code)


def _fail(error: CompanionError, as_json: bool) -> int:
    if as_json:
        _print_json({"error": error.as_dict()})
    else:
        from runner.display import show_error

        show_error(error)
    return error.exit_code


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_database = click.option("--database", metavar="URL", help="Database; else DATABASE_URL, else the embedded server.")
_sql_root = click.option("--sql-root", metavar="FOLDER", help="Folder with migrations/, functions/, …")
_schema = click.option("--schema", metavar="NAME", help="Schema of the instance; default: the system's name.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
_lock_timeout = click.option(
    "--lock-timeout", type=click.FloatRange(min=0.001), default=5.0, show_default=True, metavar="SECONDS",
    help="How long a statement waits for a lock before the file is tried again.",
)  # fmt: skip
_index_timeout = click.option(
    "--index-timeout", type=click.FloatRange(min=0.001), default=600.0, show_default=True, metavar="SECONDS",
    help="The same for a concurrent index build.",
)  # fmt: skip
_systems = click.argument("systems", nargs=-1, metavar="[SYSTEM]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="companion")
def cli() -> None:
    """Data models for AI companions: apply, roll back and inspect them in PostgreSQL."""


@contextmanager
def _progress(as_json: bool) -> Iterator[Progress]:
    from runner.display import BarProgress, make_progress

    progress = make_progress(quiet=as_json)
    try:
        yield progress
    finally:
        if isinstance(progress, BarProgress):
            progress.close()


def _report(done: list[Done], as_json: bool, nothing: str, url: str | None = None) -> None:
    """Print what was done; `url` is where, when it may have changed jobs."""
    from runner.display import summary

    if done and url:
        from runner.jobs import out_of_step

        if out_of_step(url):
            click.echo("note: pg_cron is in another database: `companion jobs sync` brings it in step", err=True)

    if as_json:
        _print_json({"files": [vars(one) for one in done]})
    else:
        click.echo(summary(done) if done else nothing)


@cli.command()
@_options(_database, _sql_root)
def up(database: str | None, sql_root: str | None) -> None:
    """Make everything ready: server, all systems, demo data."""
    from runner import up as work
    from runner.database import display_url
    from runner.display import summary

    with _progress(False) as progress:
        result = work.up(database, sql_root=sql_root, progress=progress)
    if result.done:
        click.echo(summary(result.done))
    if result.seeded:
        click.echo(f"demo data loaded: {', '.join(result.seeded)}")
    if not (result.done or result.seeded):
        click.echo("everything is applied already; nothing to do")
    click.echo(f"\nconnect to  {display_url(result.url)}")
    click.echo("\nnext, try:")
    width = max(len(command) for command, _ in result.suggestions)
    for command, purpose in result.suggestions:
        click.echo(f"  {command:<{width}}  {purpose}")


@cli.command()
@_systems
@click.option("--to", metavar="ID", help="Apply up to and including this file (one system).")
@click.option("--dry-run", is_flag=True, help="Print the SQL that would be sent; change nothing.")
@click.option("--rehearse", is_flag=True, help="Run everything in one transaction and roll it back.")
@click.option(
    "--adopt", is_flag=False, flag_value="", metavar="[ID]",
    help="Record files, up to and including ID, as applied whose objects already exist.",
)  # fmt: skip
@_options(_schema, _lock_timeout, _index_timeout, _database, _sql_root, _json)
def apply(
    systems: tuple[str, ...],
    to: str | None,
    dry_run: bool,
    rehearse: bool,
    adopt: str | None,
    schema: str | None,
    lock_timeout: float,
    index_timeout: float,
    database: str | None,
    sql_root: str | None,
    as_json: bool,
) -> None:
    """Apply what is pending of SYSTEM... (default: all), platform first."""
    from runner.address import resolve
    from runner.status import up_to_date

    if dry_run + rehearse + (adopt is not None) > 1:
        raise UsageError("--dry-run, --rehearse and --adopt exclude each other")
    if dry_run and as_json:
        raise UsageError("--dry-run prints SQL; it has no --json")
    if adopt and to is not None:
        raise UsageError("--adopt ID and --to exclude each other")
    to = adopt or to
    url = resolve(database)
    nothing = "nothing to do: every file is applied"
    if to is None and up_to_date(url, systems, schema=schema, sql_root=sql_root):
        _report([], as_json, nothing)
        return

    from runner import apply as work

    common: dict[str, Any] = {"schema": schema, "sql_root": sql_root, "to": to, "lock_timeout": lock_timeout}
    with _progress(as_json) as progress:
        common["progress"] = progress
        if dry_run:
            work.dry_run(url, systems, build_timeout=index_timeout, **common)
            return
        if rehearse:
            from runner.rehearse import rehearse as rehearse_files

            done = rehearse_files(url, systems, **common)
        elif adopt is not None:
            from runner.adopt import adopt as adopt_files

            done = adopt_files(url, systems, **common)
        else:
            done = work.apply(url, systems, build_timeout=index_timeout, **common)
    _report(done, as_json, nothing, None if rehearse else url)


@cli.command()
@_systems
@click.option("--to", metavar="ID", help="Undo everything after this file, which stays.")
@click.option("--count", type=int, metavar="N", help="Undo the last N files.")
@click.option("--all", "everything", is_flag=True, help="Undo all files; without SYSTEM, of everything installed.")
@click.option("--discard-data", is_flag=True, help="Go on although rows are lost.")
@_options(_schema, _lock_timeout, _index_timeout, _database, _json)
def rollback(
    systems: tuple[str, ...],
    to: str | None,
    count: int | None,
    everything: bool,
    discard_data: bool,
    schema: str | None,
    lock_timeout: float,
    index_timeout: float,
    database: str | None,
    as_json: bool,
) -> None:
    """Undo the last file of SYSTEM, from the text recorded when it was applied."""
    from runner import rollback as work
    from runner.address import resolve

    url = resolve(database)
    with _progress(as_json) as progress:
        done = work.rollback(
            url,
            systems,
            schema=schema,
            to=to,
            count=count,
            everything=everything,
            discard_data=discard_data,
            lock_timeout=lock_timeout,
            build_timeout=index_timeout,
            progress=progress,
        )
    _report(done, as_json, "nothing to do: no file is applied", url)


@cli.command()
@_systems
@_options(_schema, _database, _sql_root, _json)
def status(
    systems: tuple[str, ...], schema: str | None, database: str | None, sql_root: str | None, as_json: bool
) -> int:
    """Show what is applied, pending, edited, missing or out of order; exit 3 if anything is."""
    from runner import status as work
    from runner.address import resolve

    found = work.status(resolve(database), systems, schema=schema, sql_root=sql_root)
    if as_json:
        _print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.display import status_text

        click.echo(status_text(found))
    return 0 if all(one.clean for one in found) else 3


@cli.command()
@_systems
@_options(_schema, _database, _json)
def verify(systems: tuple[str, ...], schema: str | None, database: str | None, as_json: bool) -> int:
    """Compare what is there with what the recorded files make.

    Every difference is listed by object; the exit code is 3 if there is any. The embedded server is started for it.
    """
    from runner import verify as work
    from runner.address import resolve

    with _progress(as_json) as progress:
        found = work.verify(resolve(database), systems, schema=schema, progress=progress)
    if as_json:
        _print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.display import verified_text

        click.echo(verified_text(found))
    return 3 if any(one.differences for one in found) else 0


@cli.command()
@_systems
@click.option("--demo", is_flag=True, help="Load demo data.")
@click.option("--scale", type=click.IntRange(min=1), default=1, show_default=True, help="How many times as much.")
@_options(_schema, _lock_timeout, _database, _sql_root, _json)
def seed(
    systems: tuple[str, ...],
    demo: bool,
    scale: int,
    schema: str | None,
    lock_timeout: float,
    database: str | None,
    sql_root: str | None,
    as_json: bool,
) -> None:
    """Load demo data of SYSTEM... (default: every installed one). Reference rows come with `apply`."""
    from runner import seed as work
    from runner.address import resolve
    from runner.display import table

    if not demo:
        raise UsageError("say --demo: reference rows are part of the chain and come with `companion apply`")
    with _progress(as_json) as progress:
        done = work.seed(
            resolve(database),
            systems,
            schema=schema,
            sql_root=sql_root,
            scale=scale,
            lock_timeout=lock_timeout,
            progress=progress,
        )
    if as_json:
        _print_json({"seeded": [vars(one) for one in done]})
    elif done:
        rows = [(one.system, one.schema, one.rows or "there already", f"{one.duration_ms} ms") for one in done]
        click.echo(table(("system", "schema", "rows", "time"), rows))
    else:
        click.echo("nothing to do: no installed system has demo data")


@cli.command()
@click.argument("system")
@click.argument("kind")
@click.argument("slug")
@click.option("--replace", metavar="FUNCTION", help="Start from this function as it is in the database.")
@_options(_schema, _database, _sql_root)
def new(
    system: str,
    kind: str,
    slug: str,
    replace: str | None,
    schema: str | None,
    database: str | None,
    sql_root: str | None,
) -> None:
    """Make the next file of SYSTEM in the folder KIND, and its rollback."""
    from runner import scaffold
    from runner.display import relative
    from runner.tree import open_tree

    tree = open_tree(sql_root)
    definition = None
    if replace:
        from runner.address import resolve

        if kind != "functions":
            raise UsageError("--replace goes with kind functions")
        definition = scaffold.live_definition(resolve(database), tree, system, replace, schema)
    path, rollback_path = scaffold.new_file(tree, system, kind, slug, definition)
    click.echo(f"{relative(path)}\n{relative(rollback_path)}")
    if definition:
        click.echo("change the function in the first; the second restores it as it is now", err=True)
    else:
        click.echo("write the statements below the header, and in the second what undoes them", err=True)


@cli.command()
@_systems
@_options(_sql_root, _json)
def lint(systems: tuple[str, ...], sql_root: str | None, as_json: bool) -> int:
    """Check the SQL files: conventions, sqlfluff, squawk."""
    from runner import lint as work
    from runner.display import fault_line
    from runner.tree import open_tree

    tree = open_tree(sql_root)
    faults = work.conventions(tree, systems)
    checks = [work.Check("conventions", [fault_line(fault) for fault in faults]), *work.tools(tree, systems)]
    if as_json:
        _print_json({"checks": [vars(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{check.name}: " + ("\n  ".join(["", *check.findings]) if check.findings else "clean"))
    return 1 if any(check.findings for check in checks) else 0


@cli.group()
def contract() -> None:
    """What consumers may rely on: written down, compared, checked."""


_audience = click.option(
    "--for", "audiences", multiple=True, type=click.Choice(["readers", "writers", "callers"]),
    help="Whom it is about; may be repeated. Default: all.",
)  # fmt: skip


@contract.command("export")
@_systems
@click.option("--from-files", is_flag=True, help="Of what the files make in a scratch database of the embedded server.")
@click.option("--output", metavar="FOLDER", help="Write FOLDER/<system>.json; else print the only one.")
@_options(_schema, _database, _sql_root)
def contract_export(
    systems: tuple[str, ...],
    from_files: bool,
    output: str | None,
    schema: str | None,
    database: str | None,
    sql_root: str | None,
) -> None:
    """Write the contracts of what is installed."""
    from pathlib import Path

    from runner import contracts as work
    from runner.address import resolve

    if from_files:
        if schema is not None or database is not None:
            raise UsageError("--from-files goes with neither --schema nor --database")
        with _progress(True) as progress:
            found = work.of_files(systems, sql_root=sql_root, progress=progress)
    else:
        found = work.installed(resolve(database), systems, schema=schema)
    texts = {system: work.write(found[system]) for system in systems or found}
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
@_options(_audience, _json)
def contract_diff(old: str, new: str, audiences: tuple[str, ...], as_json: bool) -> int:
    """Say what changed between two contracts, and whom it breaks.

    OLD and NEW are files, or folders of contracts. The exit code is 3 if a change breaks anybody; docs/contract.md
    gives the rules.
    """
    from pathlib import Path

    from runner import changes as work
    from runner.contracts import read_all

    found = work.changes_of_all(read_all(Path(old)), read_all(Path(new)))
    if as_json:
        _print_json({"systems": {name: [one.as_dict() for one in some] for name, some in found.items()}})
    else:
        from runner.display import changes_text

        click.echo(changes_text(found))
    return 3 if any(work.broken(some, audiences) for some in found.values()) else 0


@contract.command("check")
@_systems
@click.option("--contract", "path", type=click.Path(exists=True), metavar="FILE", help="File or folder; else our own.")
@_options(_audience, _schema, _database, _sql_root, _json)
def contract_check(
    systems: tuple[str, ...],
    path: str | None,
    audiences: tuple[str, ...],
    schema: str | None,
    database: str | None,
    sql_root: str | None,
    as_json: bool,
) -> int:
    """Say whether a database keeps its contract.

    In one line for each system, with what is missing; the exit code is 3 if anything is.
    """
    from pathlib import Path

    from runner import check as work
    from runner.address import resolve

    found = work.check(
        resolve(database),
        systems,
        contract=Path(path) if path else None,
        schema=schema,
        audiences=audiences,
        sql_root=sql_root,
    )
    if as_json:
        _print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.display import checked_text

        click.echo(checked_text(found))
    return 3 if any(one.broken for one in found) else 0


@cli.group()
def jobs() -> None:
    """Scheduled jobs, with pg_cron or without."""


_cron_database = click.option(
    "--cron-database", metavar="NAME", help="Database where pg_cron is installed; else where the server says."
)


@jobs.command("list")
@_systems
@_options(_schema, _cron_database, _database, _json)
def jobs_list(
    systems: tuple[str, ...], schema: str | None, cron_database: str | None, database: str | None, as_json: bool
) -> int:
    """Show next and last run of every job.

    Who runs it, how the last run ended, and what pg_cron has otherwise than declared: then the exit code is 3.
    """
    from runner import jobs as work
    from runner.address import resolve

    found = work.list_jobs(resolve(database), systems, schema=schema, cron_database=cron_database)
    if as_json:
        _print_json({"jobs": [one.as_dict() for one in found]})
    else:
        from runner.display import jobs_text

        click.echo(jobs_text(found))
    return 0 if all(one.in_step for one in found) else 3


@jobs.command("sync")
@_systems
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@_options(_schema, _cron_database, _database, _json)
def jobs_sync(
    systems: tuple[str, ...],
    dry_run: bool,
    schema: str | None,
    cron_database: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Schedule all jobs with pg_cron.

    Also with one in another database of the server, and where it came after the jobs; what is there as declared stays.
    """
    from runner import jobs as work
    from runner.address import resolve
    from runner.display import table

    done = work.sync(resolve(database), systems, schema=schema, cron_database=cron_database, dry_run=dry_run)
    if as_json:
        _print_json({"jobs": [{"name": name, "what": what} for name, what in done.items()]})
    elif done:
        click.echo(table(("in pg_cron", "what"), sorted(done.items())))
    else:
        click.echo("nothing to do: pg_cron has every job as declared")


@jobs.command("crontab")
@_systems
@_options(_schema, _database)
def jobs_crontab(systems: tuple[str, ...], schema: str | None, database: str | None) -> None:
    """Print lines for a crontab, for want of pg_cron."""
    from runner import jobs as work
    from runner.address import resolve

    click.echo("\n".join(work.crontab(resolve(database), systems, schema=schema)))


@jobs.command("run")
@click.argument("name")
@_options(_schema, _database, _json)
def jobs_run(name: str, schema: str | None, database: str | None, as_json: bool) -> None:
    """Run job NAME now.

    The exit code is 1 if it fails, 3 if another run of it goes on. NAME is SCHEMA:JOB, or JOB where only one has it.
    """
    from runner import jobs as work
    from runner.address import resolve

    job, run, milliseconds = work.run(resolve(database), name, schema=schema)
    if as_json:
        outcome = {"outcome": run.outcome, "message": run.message, "duration_ms": milliseconds}
        _print_json({"name": job.name, "started_at": run.started_at.isoformat(), **outcome})
    else:
        click.echo(f"{job.name} {run.outcome} ({milliseconds} ms): {run.message}")


@cli.group()
def server() -> None:
    """The embedded PostgreSQL server."""


@server.command("start")
def server_start() -> None:
    """Start the server unless it runs, and print its address."""
    from runner import server as work

    click.echo(work.start())


@server.command("stop")
def server_stop() -> None:
    """Stop the server; its data stays."""
    from runner import server as work

    click.echo("stopped" if work.stop() else "was not running")


@server.command("status")
@_json
def server_status(as_json: bool) -> int:
    """Say whether the server runs and where its data is; exit 3 if it does not run."""
    from runner import server as work

    url, folder = work.running_url(), str(work.data_folder())
    if as_json:
        _print_json({"running": url is not None, "url": url, "data": folder})
    else:
        click.echo(f"{'running' if url else 'not running'}, data in {folder}")
    return 0 if url else 3


@server.command("url")
def server_url() -> None:
    """Print the server's address."""
    from runner import server as work

    click.echo(work.require_url())


@server.command("psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def server_psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the server; further arguments are psql's own."""
    from runner import server as work

    command = [*work.psql_command(), *arguments]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
