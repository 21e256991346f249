"""Companion's runner: applies and rolls back plain versioned SQL.

Read it in this order to follow `companion apply` from the command line to the server: `cli` (commands), `apply` (what
is pending, one transaction per file), `tree` (the files on disk), `history` (what a database remembers), `database`
(connections and how a file is sent).
"""

__version__ = "0.1.0"
