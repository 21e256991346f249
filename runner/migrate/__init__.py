"""Changing what is applied: apply, roll back, rehearse, adopt, load demo data.

`send` is how a file reaches the server, `alone` is for a statement outside transactions, `losses` are the rows that a
rollback would destroy.

Uses: catalog, history, files, postgres.
"""
