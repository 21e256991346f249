"""Commands for those who write the files: new, lint."""

from __future__ import annotations

import click

from runner.cli import options
from runner.errors import UsageError


@click.command()
@click.argument("system")
@click.argument("kind")
@click.argument("slug")
@click.option("--replace", metavar="FUNCTION", help="Start from this function as it is in the database.")
@options.several(options.schema, options.database, options.sql_root)
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
    from runner.cli.display import relative
    from runner.files import scaffold
    from runner.files.tree import open_tree

    tree = open_tree(sql_root)
    definition = None
    if replace:
        from runner.catalog.functions import live_definition
        from runner.history.instances import Instance
        from runner.postgres.address import resolve

        if kind != "functions":
            raise UsageError("--replace goes with kind functions")
        definition = live_definition(resolve(database), tree, Instance(system, schema or system), replace)
    path, rollback_path = scaffold.new_file(tree, system, kind, slug, definition)
    click.echo(f"{relative(path)}\n{relative(rollback_path)}")
    if definition:
        click.echo("change the function in the first; the second restores it as it is now", err=True)
    else:
        click.echo("write the statements below the header, and in the second what undoes them", err=True)


@click.command()
@options.systems
@options.several(options.sql_root, options.as_json)
def lint(systems: tuple[str, ...], sql_root: str | None, as_json: bool) -> int:
    """Check the SQL files: conventions, sqlfluff, squawk."""
    from runner.cli.display import fault_line
    from runner.files.tree import open_tree
    from runner.lint.conventions import conventions
    from runner.lint.linters import Check, tools

    tree = open_tree(sql_root)
    faults = conventions(tree, systems)
    checks = [Check("conventions", [fault_line(fault) for fault in faults]), *tools(tree, systems)]
    if as_json:
        options.print_json({"checks": [vars(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{check.name}: " + ("\n  ".join(["", *check.findings]) if check.findings else "clean"))
    return 1 if any(check.findings for check in checks) else 0
