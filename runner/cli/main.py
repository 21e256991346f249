"""The command `companion`: finds the command that is meant, and turns what goes wrong into words and exit codes."""

from __future__ import annotations

import gc

# A command is over long before there is garbage worth collecting; collecting while modules load costs a fifth.
gc.disable()

import importlib
import os
import signal
import sys

import click

from runner import __version__
from runner.cli import options
from runner.errors import CompanionError, Stop, UsageError, stopped

# In which module of this room each command is: only the one that is called is imported.
COMMANDS = {
    "apply": "migrate",
    "contract": "contract",
    "jobs": "jobs",
    "lint": "author",
    "new": "author",
    "rollback": "migrate",
    "seed": "migrate",
    "server": "server",
    "status": "state",
    "up": "migrate",
    "verify": "state",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"runner.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="companion")
def cli() -> None:
    """Data models for AI companions: apply, roll back and inspect them in PostgreSQL."""


def main(args: list[str] | None = None) -> None:
    """Run `companion`; the exit codes are those of `runner.errors`."""
    args = sys.argv[1:] if args is None else args
    as_json = "--json" in args
    signal.signal(signal.SIGTERM, _stop)
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
    except (click.Abort, KeyboardInterrupt) as error:
        # click makes one of the other.
        hint = "`companion status` says what is applied"
        code = _fail(stopped("what was committed stays", error.__cause__ or error, hint=hint), as_json)
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


def _stop(*_: object) -> None:
    # Once: what is being put in order is not to be interrupted by an impatient second one.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stop


def _fail(error: CompanionError, as_json: bool) -> int:
    if as_json:
        options.print_json({"error": error.as_dict()})
    else:
        from runner.cli.display import show_error

        show_error(error)
    return error.exit_code
