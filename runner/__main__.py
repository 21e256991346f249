"""`python -m runner` is `companion`."""

from runner.cli.main import main

main()
