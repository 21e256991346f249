"""Embeddings for tests."""

from __future__ import annotations

import math
import random

DIMENSIONS = 1536


def vector(*leading: float, noise: float = 0.0, seed: int = 0) -> str:
    """Return a vector literal: these leading coordinates, then zeros, plus noise of this length somewhere."""
    values = [*leading, *[0.0] * (DIMENSIONS - len(leading))]
    if noise:
        source = random.Random(seed)
        directions = [source.gauss(0, 1) for _ in range(DIMENSIONS)]
        scale = noise / math.sqrt(sum(part * part for part in directions))
        values = [value + scale * part for value, part in zip(values, directions, strict=True)]
    return "[" + ",".join(f"{value:.6g}" for value in values) + "]"
