"""Companion's runner: applies and rolls back plain versioned SQL.

It is a house of rooms. Each says in its docstring what it is for and which rooms it may use, all of them below it:

    cli        the commands, and how things look
    lint       checking the files
    contract   what consumers may rely on
    migrate    changing what is applied
    catalog    what is in a schema
    jobs       scheduled jobs
    history    what a database remembers
    files      the SQL files on disk
    postgres   sessions and servers

Every room may use `errors` (each way to fail) and `progress` (what a long run tells). To follow `companion apply` from
the command line to the server, read `cli.migrate`, `migrate.apply`, `files.tree`, `history.tables`, `migrate.send`.
"""

__version__ = "0.1.0"
