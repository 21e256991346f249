"""The command line: options in, words and exit codes out. It knows no SQL, and imports each command's work late.

`main` finds the command; each group of commands has a file; `display` and `progress` are how things look.

Uses: lint, contract, migrate, catalog, jobs, history, files, postgres.
"""
