"""Reading what a page shows: its blocks, its commands, and what these print, without what differs from run to run."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent

# What a change of a system may change without making the page untrue: numbers, times, names of files; how many files
# or tables there are.
_MASKS = [
    (r"\b\d{4}_[a-z0-9]+(?:_[a-z0-9]+)*\b", "FILE"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?", "TIME"),
    (r"(?<![\w.])\d[\d,]*\b", "N"),
    (r"(?m)^  \w+\.\w+: N rows$", "  TABLE: N rows"),
    (r"(?<=\S)  +", "  "),
]


def blocks(language: str, text: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(text: str) -> list[tuple[str, str]]:
    """Return each command of the console blocks and what the page says that it prints, in order."""
    found = []
    for block in blocks("console", text):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def masked(text: str) -> str:
    """Return what a command prints with counts, numbers, times and names of files masked, each repeated line once."""
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    lines = (line.rstrip() for line in text.splitlines() if line.strip())
    return "\n".join(line for line, _ in groupby(lines))
