"""Checking the SQL files without a server: our own conventions, and what sqlfluff and squawk say.

Uses: files.
"""
