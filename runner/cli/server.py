"""Commands about the embedded server: start, stop, status, url, psql."""

from __future__ import annotations

import os

import click

from runner.cli import options


@click.group()
def server() -> None:
    """The embedded PostgreSQL server."""


@server.command("start")
def server_start() -> None:
    """Start the server unless it runs, and print its address."""
    from runner.postgres import embedded as work

    click.echo(work.start())


@server.command("stop")
def server_stop() -> None:
    """Stop the server; its data stays."""
    from runner.postgres import embedded as work

    click.echo("stopped" if work.stop() else "was not running")


@server.command("status")
@options.as_json
def server_status(as_json: bool) -> int:
    """Say whether the server runs and where its data is; exit 3 if it does not run."""
    from runner.postgres import embedded as work

    url, folder = work.running_url(), str(work.data_folder())
    if as_json:
        options.print_json({"running": url is not None, "url": url, "data": folder})
    else:
        click.echo(f"{'running' if url else 'not running'}, data in {folder}")
    return 0 if url else 3


@server.command("url")
def server_url() -> None:
    """Print the server's address."""
    from runner.postgres import embedded as work

    click.echo(work.require_url())


@server.command("psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def server_psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the server; further arguments are psql's own."""
    from runner.postgres import embedded as work

    command, variables = work.psql_command()
    os.execve(command[0], [*command, *arguments], variables)
