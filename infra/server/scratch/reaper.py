"""Waits beside a run for its end, and removes the private server that a killed run could not remove itself."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.server.scratch.private_server import remove_server

if __name__ == "__main__":
    sys.stdin.read()  # ends when the run does, whatever ended it
    remove_server(Path(sys.argv[1]))
