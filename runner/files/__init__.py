"""The SQL files on disk: finding them, their conventions, their order, looking into their text, making the next one.

Uses: nothing.
"""
