"""What a long run tells while it runs. Library code calls these methods; the CLI decides how they look."""

from __future__ import annotations


class Progress:
    """Receives the events of a run and, in this base class, ignores them."""

    def about(self, text: str) -> None:
        """Tell which database is about to be changed."""

    def begin(self, total: int) -> None:
        """Tell that `total` files are about to run."""

    def start(self, instance: str, id: str) -> None:
        """Tell that a file begins."""

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        """Tell that a file is finished; `what` is `applied`, `rolled back`, `adopted` or `rehearsed`."""

    def step(self, text: str) -> None:
        """Tell how far the running file is."""

    def notice(self, text: str) -> None:
        """Tell what a file tells with RAISE NOTICE or INFO: how many rows it moved, say."""

    def note(self, text: str) -> None:
        """Tell something a person should know: a wait, a retry, a warning of the server."""

    def emit(self, sql: str) -> None:
        """Take a piece of SQL that a dry run would send."""
