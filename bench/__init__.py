"""Side-by-side measurements, `make bench`: every figure is a ratio of two ways to the same end, taken in one run."""
