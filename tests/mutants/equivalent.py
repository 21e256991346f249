"""Mutants that no test can notice, or need not, each with the reason."""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {}
