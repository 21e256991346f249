"""Commands that say how things stand: status, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli import options

if TYPE_CHECKING:
    from runner.history.instances import Target
    from runner.postgres.pace import Pace


@click.command()
@options.systems
@options.several(options.schema, options.database, options.sql_root, options.as_json)
@options.gathered
def status(target: Target, sql_root: str | None, as_json: bool) -> int:
    """Show what is applied, pending, edited, missing or out of order; exit 3 if anything is."""
    from runner.history import status as work

    found = work.status(target, sql_root=sql_root)
    if as_json:
        options.print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.cli.display import status_text

        click.echo(status_text(found))
    return 0 if all(one.clean for one in found) else 3


@click.command()
@options.systems
@options.several(options.schema, options.lock_timeout, options.database, options.as_json)
@options.gathered
def verify(target: Target, pace: Pace, as_json: bool) -> int:
    """Compare what is there with what the recorded files make.

    Every difference is listed by object; the exit code is 3 if there is any. The embedded server is started for it.
    """
    from runner.cli.progress import shown
    from runner.contract import verify as work

    with shown(as_json=as_json) as progress:
        found = work.verify(target, pace=pace, progress=progress)
    if as_json:
        options.print_json({"systems": [one.as_dict() for one in found]})
    else:
        from runner.cli.display import verified_text

        click.echo(verified_text(found))
    return 3 if any(one.differences for one in found) else 0
