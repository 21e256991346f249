"""Looking into SQL text without parsing it: what is code and what is comment, string or quoted body."""

from __future__ import annotations

import re

# Where something begins that is no code, and where it ends; a comment may hold others.
_OPENING = re.compile(r"--|/\*|(?<![\w$])[eE]'|'|\"|(?<![\w$])\$(?:[^\W\d]\w*)?\$")
_CLOSING = {
    "--": re.compile(r"(?=\n)"),
    "'": re.compile(r"(?:[^']|'')*'"),
    "e'": re.compile(r"(?:[^'\\]|\\.|'')*'", re.DOTALL),
    '"': re.compile(r"(?:[^\"]|\"\")*\""),
}
_COMMENT_MARK = re.compile(r"/\*|\*/")
_ATOMIC_BODY = re.compile(r"\bbegin\s+atomic\b.*?;\s*end\b", re.DOTALL | re.I)
_TRANSACTION_COMMAND = re.compile(
    r"(?:\A|;)\s*((?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b)",
    re.I,
)
_COPY = re.compile(r"(?:\A|;)\s*(copy\b)", re.I)
# See the notes of each command in PostgreSQL's reference: "cannot be executed inside a transaction block".
_OUTSIDE = [
    (re.compile(pattern.replace(" ", r"\s+"), re.I | re.DOTALL), name)
    for pattern, name in (
        (r"create (?:unique )?index concurrently\b", "CREATE INDEX CONCURRENTLY"),
        (r"drop index concurrently\b", "DROP INDEX CONCURRENTLY"),
        (r"reindex\b[^;]*\bconcurrently\b", "REINDEX CONCURRENTLY"),
        (r"reindex\b[^;]*?\b(?:schema|database|system)\b", "REINDEX of more than a table"),
        (r"alter table\b[^;]*\bdetach partition\b[^;]*\bconcurrently\b", "DETACH PARTITION CONCURRENTLY"),
        (r"vacuum\b", "VACUUM"),
        (r"cluster\s*(?:;|\Z)", "CLUSTER of all tables"),
        (r"(?:create|drop) database\b", "CREATE or DROP DATABASE"),
        (r"(?:create|drop) tablespace\b", "CREATE or DROP TABLESPACE"),
        (r"alter system\b", "ALTER SYSTEM"),
        (r"(?:create|drop) subscription\b", "CREATE or DROP SUBSCRIPTION"),
        (r"discard all\b", "DISCARD ALL"),
    )
]
_PERHAPS_OUTSIDE = re.compile(
    r"\b(?:concurrently|vacuum|reindex|cluster|(?:create|drop)\s+(?:database|tablespace|subscription)"
    r"|alter\s+system|discard)\b",
    re.I,
)
_FOLDING = re.compile(r"\b(?:lower|upper|initcap)\s*\(", re.I)
_COLLATE = re.compile(r"\bcollate\b", re.I)
_INSERT = re.compile(r"\binsert\s+into\b", re.I)
_CONCURRENTLY = re.compile(r"\bconcurrently\b", re.I)
_DO = re.compile(r"\bdo\s+(?:language\s+\w+\s+)?(\$(?:[A-Za-z_]\w*)?\$)(.*?)\1", re.DOTALL | re.I)
_COMMIT = re.compile(r"\bcommit(?:\s+and\s+(?:no\s+)?chain)?(?=\s*;)", re.I)


def blank(text: str) -> str:
    """Return `text` with comments, strings, quoted names and bodies as blanks; every position stays what it was."""
    parts, position = [], 0
    while found := _OPENING.search(text, position):
        parts.append(text[position : found.start()])
        position = _end(text, found)
        parts.append(_blanks(text[found.start() : position]))
    return "".join([*parts, text[position:]])


def _end(text: str, opening: re.Match[str]) -> int:
    """Return where what `opening` begins has its end; that of the text, where it has none."""
    word = opening[0].lower()
    if word == "/*":
        depth, position = 1, opening.end()
        while depth and (mark := _COMMENT_MARK.search(text, position)):
            depth += 1 if mark[0] == "/*" else -1
            position = mark.end()
        return len(text) if depth else position
    closing = re.compile(re.escape(opening[0])) if word[0] == "$" else _CLOSING[word]
    found = closing.search(text, opening.end()) if word[0] in "$-" else closing.match(text, opening.end())
    return found.end() if found else len(text)


def foldings(text: str) -> list[int]:
    """Return the 0-based position of each call that folds case without saying by which collation, in bodies too."""
    code = blank(text)
    found = []
    for call in _FOLDING.finditer(code):
        depth, end = 1, call.end()
        while depth and end < len(code):
            depth += (code[end] == "(") - (code[end] == ")")
            end += 1
        if not _COLLATE.search(code, call.end(), end):
            found.append(call.start())
    position = 0
    while opening := _OPENING.search(text, position):
        position = _end(text, opening)
        if opening[0].startswith("$"):
            body = text[opening.end() : position - len(opening[0])]
            found += [opening.end() + place for place in foldings(body)]
    return sorted(found)


def statements(text: str) -> list[int]:
    """Return the 0-based position of each statement; semicolons in bodies and in parentheses end none."""
    code = _ATOMIC_BODY.sub(lambda found: _blanks(found[0]), blank(text))
    found, depth, begun = [], 0, False
    for position, char in enumerate(code):
        depth += (char == "(") - (char == ")")
        if char == ";" and depth <= 0:
            begun = False
        elif not begun and not char.isspace():
            begun = True
            found.append(position)
    return found


def outside_command(text: str) -> tuple[int, str] | None:
    """Return the first statement that cannot run inside a transaction, by its 0-based position and its name, or None.

    What can be told from the words alone; the server knows a few more.
    """
    if not _PERHAPS_OUTSIDE.search(text):
        return None
    code = blank(text)
    for position in statements(text):
        for pattern, name in _OUTSIDE:
            if pattern.match(code, position):
                return position, name
    return None


def transaction_command(text: str) -> int | None:
    """Return the 0-based position of the first statement that begins or ends a transaction, or None."""
    found = _TRANSACTION_COMMAND.search(_ATOMIC_BODY.sub(lambda body: _blanks(body[0]), blank(text)))
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


def _blanks(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
