"""The tables of a system and what refers to what, in Mermaid's language."""

from __future__ import annotations

import re

from docs.generate.model import System, keys

# As Mermaid takes them: one word, without a comma.
SHORT = {
    "timestamp with time zone": "timestamptz",
    "character varying": "varchar",
    "double precision": "float8",
}


# Closer together than by default: there are many tables.
SPACING = '%%{init: {"er": {"nodeSpacing": 30, "rankSpacing": 60}}}%%'


def diagram(system: System, title: str) -> str:
    """Return a diagram with one entity for each table, and one for each table outside that is referred to."""
    targets = {key.target for found in system.foreign_keys.values() for key in found}
    lines = [SPACING, "erDiagram", f"    accTitle: Tables of {title}", "    direction LR"]
    for name in sorted(targets - {*system.tables}):
        lines += [f"    {_entity(name)} {{", "        uuid id PK", "    }"]
    # What nothing is connected with comes last, out of the way.
    connected = targets | {name for name, found in system.foreign_keys.items() if found}
    for name in sorted(system.tables, key=lambda name: name not in connected):
        lines += [f"    {_entity(name)} {{", *_columns(system, name), "    }"]
    for name, found in system.foreign_keys.items():
        for key in found:
            link = f"{'|o' if key.optional else '||'}--{'o|' if key.unique else 'o{'}"
            lines.append(f'    {_entity(key.target)} {link} {_entity(name)} : "{", ".join(key.columns)}"')
    return "\n".join(lines)


def _entity(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _columns(system: System, name: str) -> list[str]:
    table = system.tables[name]
    primary, *unique = keys(table)
    marks = {
        "PK": {*primary},
        "FK": {column for key in system.foreign_keys[name] for column in key.columns},
        # A key with the whole primary key in it is there to be referred to; it says nothing new.
        "UK": {column for key in unique if not {*primary} <= {*key} for column in key},
    }
    lines = []
    for column, said in table["columns"].items():
        if found := [mark for mark, columns in marks.items() if column in columns]:
            type_ = re.sub(r"\([\d,]+\)", "", said["type"])
            for long, short in SHORT.items():
                type_ = type_.replace(long, short)
            lines.append(f"        {type_} {column} {', '.join(found)}")
    return lines
