"""`python -m infra`: the commands of infra/cli.py."""

from infra.cli import main

main()
