"""What a run tells."""

from __future__ import annotations

from runner.progress import Progress


class Notes(Progress):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.sql: list[str] = []
        self.databases: list[str] = []

    def about(self, text: str) -> None:
        self.databases.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def emit(self, sql: str) -> None:
        self.sql.append(sql)
