"""One form for what PostgreSQL writes in two: as it first took an expression, and after it has read its own text.

A dump that is restored, or a server upgraded by one, holds the second. Two things differ, and both mean the same:

- what a comparison of rows, or a chain of AND or OR, was taken apart into: `((a OR b) OR c)`, later `(a OR b OR c)`;
- a list that is cast: `(ARRAY['x'::varchar])::text[]`, later `ARRAY[('x'::varchar)::text]`.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Group: TypeAlias = "list[str | Group]"

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|[^'\"()]+")
_WORD = re.compile(r"(?<=[\s)])(AND|OR)(?=[\s(])")
_OTHER = re.compile(r"\b(?:CASE|WHEN|THEN|ELSE|END|BETWEEN)\b")
_QUOTED = r"'(?:[^']|'')*'"
_CAST_LIST = re.compile(rf"\(\(ARRAY\[((?:{_QUOTED}|[^\[\]'])*)\]\)::([a-z][a-z ]*)\[\]\)")
_ELEMENT = re.compile(rf"(?:{_QUOTED}|\([^()]*\)|[^,'()])+")


def canonical(text: str) -> str:
    """Return an expression, or a statement that holds one, in the form that reading it again does not change."""
    return _CAST_LIST.sub(_cast_elements, _written(_flat(_parsed(text))))


def _cast_elements(found: re.Match[str]) -> str:
    elements = (one.strip() for one in _ELEMENT.findall(found[1]))
    return f"(ARRAY[{', '.join(f'({one})::{found[2]}' for one in elements)}])"


def _parsed(text: str) -> Group:
    """Return the text as tokens, what stands in parentheses as a list of its own."""
    stack: list[Group] = [[]]
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append([])
        elif token == ")" and len(stack) > 1:
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append(token)
    while len(stack) > 1:
        # Parentheses that do not match: as they came.
        inner = stack.pop()
        stack[-1] += ["(", *inner]
    return stack[0]


def _written(group: Group) -> str:
    return "".join(part if isinstance(part, str) else f"({_written(part)})" for part in group)


def _flat(group: Group) -> Group:
    """Return the group with the members of such groups in it as its own that are joined by the same word."""
    inner: Group = [part if isinstance(part, str) else _flat(part) for part in group]
    word = _joined_by(inner)
    if word is None:
        return inner
    found: Group = []
    for index, part in enumerate(inner):
        member = (
            not isinstance(part, str)
            and _joined_by(part) == word
            and (index == 0 or _ends(inner[index - 1], word))
            and (index + 1 == len(inner) or _begins(inner[index + 1], word))
        )
        found += part if member and not isinstance(part, str) else [part]
    return found


def _ends(part: str | Group, word: str) -> bool:
    return isinstance(part, str) and re.search(rf"(?:\A|\s){word}\s*\Z", part) is not None


def _begins(part: str | Group, word: str) -> bool:
    return isinstance(part, str) and re.match(rf"\s*{word}(?:\s|\Z)", part) is not None


def _joined_by(group: Group) -> str | None:
    """Return the word that joins the members of a group, if it is one and the same, and nothing else is meant by it."""
    words = "".join(part if isinstance(part, str) and part[0] not in "'\"" else ")(" for part in group)
    if _OTHER.search(words):
        return None
    found = set(_WORD.findall(words))
    return found.pop() if len(found) == 1 else None
