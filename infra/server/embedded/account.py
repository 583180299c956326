"""The system user that a server's processes run as, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """A system user; `switch` is true where the caller is root and starts the server's programs as this user."""

    name: str
    uid: int
    gid: int
    switch: bool
