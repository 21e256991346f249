"""What is in a schema, as plain data, and where two schemas differ.

Uses: history, files, postgres.
"""
