"""What tests read from the outside: the state that pulumi exports, and the system's processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def named(exported: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one resource of an exported state by its name."""
    return next(resource for resource in exported["deployment"]["resources"] if resource["urn"].endswith(f"::{name}"))


def admin_password(exported: dict[str, Any], resource: str = "admin-password") -> str:
    """Return the server's admin's password of an exported state."""
    return json.loads(named(exported, resource)["outputs"]["passwords"]["plaintext"])["postgres"]


def processes_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder or below it."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
