"""Entry point of `python -m infra`; the commands are in infra/commands."""

from infra.cli import main

main()
