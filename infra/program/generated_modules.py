"""Modules that were generated from models: a preview says where the models have changed since."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pulumi

from infra.modules.module import FOLDER_SETTINGS

_HEADER = re.compile(r"^--- (\S+)\n\+\+\+ (\S+)\n@@", re.MULTILINE)
_NO_FILE = "/dev/null"


def report_outdated_modules(directory: str) -> None:
    """Warn of generated modules that differ from their models, where these can be imported; nothing waits for that.

    A process of its own imports them, so that neither they nor SQLAlchemy, which may be missing, are in the program.
    """
    if (Path(directory) / FOLDER_SETTINGS).is_file():
        pulumi.Output.from_input(_outdated_modules(directory)).apply(_warn)


async def _outdated_modules(directory: str) -> list[str]:
    command = (sys.executable, "-m", "infra", "generate", "--check", "--directory", directory)
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=null)
    diffs, _ = await process.communicate()  # none where there are no models, or an error, which `generate` reports
    return [old if new == _NO_FILE else new for old, new in _HEADER.findall(diffs.decode())]


def _warn(paths: list[str]) -> None:
    if paths:
        pulumi.log.warn(
            f"{', '.join(paths)}: not what the models generate, so that `up` does not know of the difference; run "
            "`python -m infra generate`, or move edits of these files into the models"
        )
