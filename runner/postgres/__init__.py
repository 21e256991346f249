"""PostgreSQL itself: which database, sessions, locks and retries, poolers, the embedded server, scratch databases.

It knows nothing of systems, files and history.

Uses: nothing.
"""
