"""Where two catalogs differ, in lines for a person."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from runner.catalog.describe import Attributes, Catalog, Object

# What a list of differences calls the parts of an object.
_PARTS = {
    "columns": "column",
    "constraints": "constraint",
    "indexes": "index",
    "triggers": "trigger",
    "policies": "policy",
    "rules": "rule",
    "statistics": "statistics",
    "sequence": "sequence",
    "grants": "grants to",
    "column grants": "grants on column",
}


def differences(expected: Catalog, actual: Catalog, *, extra: bool = True) -> list[str]:
    """Return one line for each thing of `expected` that `actual` lacks and, with `extra`, the other way round.

    A thing that is in both and differs gives a line for each attribute, with both values.
    """
    found = []
    for name in sorted(expected.keys() | (actual.keys() if extra else set())):
        if name not in actual:
            found.append(f"{name}: missing")
        elif name not in expected:
            found.append(f"{name}: not made by the files")
        else:
            found += [f"{name}: {line}" for line in _differences_within(expected[name], actual[name], extra)]
    return found


def _differences_within(expected: Object, actual: Object, extra: bool) -> list[str]:
    found = []
    things = sorted(
        {(part, item) for one in (expected, actual) for part, items in one.items() for item in items},
        key=lambda thing: (list(_PARTS).index(thing[0]) if thing[0] in _PARTS else -1, thing[1]),
    )
    for part, item in things:
        want, have = expected.get(part, {}).get(item), actual.get(part, {}).get(item)
        what = " ".join(word for word in (_PARTS.get(part, part), item) if word)
        prefix = f"{what}: " if what else ""
        if have is None and want is not None:
            found.append(f"{prefix}missing{_essence(want)}")
        elif want is None and have is not None:
            found += [f"{prefix}not made by the files{_essence(have)}"] * extra
        elif want is not None and have is not None:
            for key in sorted(want.keys() | have.keys()):
                if want.get(key) != have.get(key):
                    found.append(f"{prefix}{key} {_contrast(_shown(want.get(key)), _shown(have.get(key)))}")
    return found


def _contrast(want: str, have: str) -> str:
    """Return both values, of longer texts the lines that differ."""
    if "\n" not in want + have:
        return f"is {have}, the files make it {want}"
    lines = list(unified_diff(want.splitlines(), have.splitlines(), n=1, lineterm=""))[2:]
    return "\n".join(["differs (- the files, + the database)", *(f"    {line}" for line in lines)])


def _essence(attributes: Attributes) -> str:
    """Return what a thing is in a few words, for a line that says that it is missing or too much."""
    known = [attributes[key] for key in ("definition", "type", "privileges", "command") if key in attributes]
    return f" ({_shown(known[0])})" if known else ""


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
