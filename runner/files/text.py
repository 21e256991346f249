"""Looking into SQL text without parsing it: what is code and what is comment, string or quoted body."""

from __future__ import annotations

import re

_OPAQUE = re.compile(
    r"--[^\n]*|/\*.*?\*/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$(?:[A-Za-z_]\w*)?\$).*?\1",
    re.DOTALL,
)
_ATOMIC_BODY = re.compile(r"\bbegin\s+atomic\b.*?;\s*end\b", re.DOTALL | re.I)
_TRANSACTION_COMMAND = re.compile(
    r"(?:\A|;)\s*((?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b)",
    re.I,
)
_COPY = re.compile(r"(?:\A|;)\s*(copy\b)", re.I)
_INSERT = re.compile(r"\binsert\s+into\b", re.I)
_CONCURRENTLY = re.compile(r"\bconcurrently\b", re.I)
_DO = re.compile(r"\bdo\s+(?:language\s+\w+\s+)?(\$(?:[A-Za-z_]\w*)?\$)(.*?)\1", re.DOTALL | re.I)
_COMMIT = re.compile(r"\bcommit(?:\s+and\s+(?:no\s+)?chain)?(?=\s*;)", re.I)
_LEADING_COMMENTS = re.compile(r"\A(?:\s*--[^\n]*\n)*")


def blank(text: str) -> str:
    """Return `text` with comments, strings, quoted names and bodies as blanks; every position stays what it was."""
    return _OPAQUE.sub(_blanks, text)


def transaction_command(text: str) -> int | None:
    """Return the 0-based position of the first statement that begins or ends a transaction, or None."""
    found = _TRANSACTION_COMMAND.search(_ATOMIC_BODY.sub(_blanks, blank(text)))
    return found.start(1) if found else None


def copy_command(text: str) -> int | None:
    """Return the 0-based position of the first COPY, or None."""
    found = _COPY.search(blank(text))
    return found.start(1) if found else None


def inserts(text: str) -> bool:
    """Say whether `text` may insert rows, be it from a body that it runs."""
    return _INSERT.search(text) is not None


def without_concurrently(text: str) -> str:
    """Return `text` with CONCURRENTLY left out, so that it can run inside a transaction."""
    for found in reversed(list(_CONCURRENTLY.finditer(blank(text)))):
        text = text[: found.start()] + text[found.end() :]
    return text


def without_commits(text: str) -> str:
    """Return `text` with the COMMITs in the bodies of its DO blocks left out, so that it can run inside a transaction.

    In place of each stands NULL, so that no branch or loop is left empty.
    """
    for do in reversed(list(re.finditer(r"\bdo\b", blank(text), re.I))):
        if block := _DO.match(text, do.start()):
            body = block[2]
            for found in reversed(list(_COMMIT.finditer(blank(body)))):
                body = body[: found.start()] + "NULL" + body[found.end() :]
            text = text[: block.start(2)] + body + text[block.end(2) :]
    return text


def for_transaction(text: str) -> tuple[str, str]:
    """Return `text` such that it can run inside a transaction, and the word that was left out for that, if any."""
    for word, without in (("CONCURRENTLY", without_concurrently), ("COMMIT", without_commits)):
        if (changed := without(text)) != text:
            return changed, word
    return text, ""


def without_leading_comments(text: str) -> str:
    """Return `text` from its first statement on."""
    return _LEADING_COMMENTS.sub("", text)


def _blanks(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
