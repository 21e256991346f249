"""Options that several commands have, and the values that they become."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from runner.postgres.pace import DEFAULT, Pace

Command = TypeVar("Command", bound=Callable[..., Any])

database = click.option("--database", metavar="URL", help="Database; else DATABASE_URL, else the embedded server.")
sql_root = click.option("--sql-root", metavar="FOLDER", help="Folder with migrations/, functions/, …")
schema = click.option("--schema", metavar="NAME", help="Schema of the instance; default: the system's name.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
lock_timeout = click.option(
    "--lock-timeout", type=click.FloatRange(min=0.001), default=DEFAULT.lock_timeout, show_default=True,
    metavar="SECONDS", help="How long a statement waits for a lock; the work on a file is then tried again.",
)  # fmt: skip
index_timeout = click.option(
    "--index-timeout", type=click.FloatRange(min=0.001), default=DEFAULT.build_timeout, show_default=True,
    metavar="SECONDS", help="The same for a concurrent index build.",
)  # fmt: skip
wait = click.option(
    "--wait", type=click.FloatRange(min=0), default=DEFAULT.wait, show_default=True, metavar="SECONDS",
    help="How long to wait for another runner to end.",
)  # fmt: skip
quiet = click.option("--quiet", "-q", is_flag=True, help="Print results, warnings and errors only.")
systems = click.argument("systems", nargs=-1, metavar="[SYSTEM]...")


def several(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command several options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` one `target` for database, systems and schema, and one `pace` for the timeouts that it has."""

    @wraps(command)
    def call(**given: Any) -> Any:
        # Late, for help needs neither.
        from runner.history.instances import Target
        from runner.postgres.address import resolve

        if "lock_timeout" in given:
            given["pace"] = Pace(
                given.pop("lock_timeout"),
                given.pop("index_timeout", DEFAULT.build_timeout),
                given.pop("wait", DEFAULT.wait),
            )
        target = Target(resolve(given.pop("database")), given.pop("systems", ()), given.pop("schema"))
        return command(target=target, **given)

    return call


def print_json(data: Any) -> None:
    """Print the one JSON document of a command."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
