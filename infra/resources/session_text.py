"""The session of a database's modules as its resources have it: a secret text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from infra.resources.base import Properties

SESSION_DEFAULTS: Properties = {
    "allow_loss": False,
    "allowed": [],
    "extensions": [],
    "lock_timeout": 10.0,
    "options": {},
    "private_schemas": [],
    "recreated": {},
    "roles": [],
    "scratch": {},
    "seed": "",
    "statement_timeout": 600.0,
    "wait": 60.0,
}
"""What a session has where its text does not say it."""


def session_of(shared: Properties) -> pulumi.Output[str]:
    """Return the session of a database as JSON: its address, `admin` and `migrator` with user and password, limits.

    The state has it with every module of a database, so what is as in SESSION_DEFAULTS is left out.
    """
    return pulumi.Output.secret(pulumi.Output.json_dumps(shared).apply(_without_defaults))


def _without_defaults(text: str) -> str:
    shared: Properties = json.loads(text)
    told = {name: value for name, value in shared.items() if value != SESSION_DEFAULTS.get(name)}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))
