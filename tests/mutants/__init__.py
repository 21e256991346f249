"""Schema mutants: a database with one rule less each, and the tests that should notice."""
