"""The process that waits for the end of a run and then removes its private server, if the run was killed."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.server.scratch.private_server import remove_server

if __name__ == "__main__":
    sys.stdin.read()  # returns when the run ends, also by SIGKILL: the kernel closes the pipe
    remove_server(Path(sys.argv[1]))
