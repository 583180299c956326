"""The process that waits for the end of a run and then removes its private server, if the run was killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from infra.server.scratch.server_directory import remove_server

if __name__ == "__main__":
    os.setsid()  # what ends the run's process group must not end this process
    sys.stdin.read()  # returns when the run ends, also by SIGKILL: the kernel closes the pipe
    remove_server(Path(sys.argv[1]))
