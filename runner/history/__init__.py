"""What a database remembers of the files it was given, and which instances of which system it holds.

`tables` are the history tables and what writes to them, `ledger` reads them, `instances` says what a command is about,
`path` under which search path its files run, `status` how it stands to the files on disk.

Uses: files, postgres.
"""
