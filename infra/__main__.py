"""Entry point of `python -m infra`; the commands are in infra/cli.py."""

from infra.cli import main

main()
