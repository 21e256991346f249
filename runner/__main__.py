"""`python -m runner` is `companion`."""

from runner.cli import main

main()
