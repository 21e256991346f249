"""What consumers may rely on: contracts, what separates two of them, and whether a database keeps one.

`document` is a contract, `export` makes it, `changes` compares two, `check` holds a database against one; `verify`
compares a database with what its recorded files make.

Uses: migrate, catalog, history, files, postgres.
"""
