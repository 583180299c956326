"""The file of an environment's stack, Pulumi.<stack>.yaml: written from a template, and removed with the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import yaml

from infra.errors import InfraError
from infra.postgres.marks import as_clock

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_FIRST_LINE = "# Written by `make env-up` from {template}; `make env-down` removes it. Change the template instead.\n"
_MADE = _FIRST_LINE.partition("{")[0]
_OF_SECRETS = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""What Pulumi keeps in a stack's file to decrypt its secrets."""


def file_of_stack(root: Path, stack: str) -> Path:
    """Return the path of a stack's file."""
    return root / f"Pulumi.{stack}.yaml"


def write_stack_file(root: Path, stack: str, template: str, *, project: str, expires: datetime, salt: str = "") -> Path:
    """Write the file of an environment's stack, and return its path.

    `salt` is that of the secrets of a stack that exists; of a file that is there it is kept. Raises InfraError
    where the template is missing or is not a stack's file, and where the stack is one that people wrote a file for.
    """
    path = file_of_stack(root, stack)
    before = read_stack_file(path) if path.exists() else {}
    if is_of_people(root, stack):
        raise InfraError(
            f"has a file {path.name} that somebody wrote, so it is no environment",
            place=f"stack {stack}",
            remedy=f"choose another name, or bring it up by `make up STACK={stack}`",
        )
    source = file_of_stack(root, template)
    document = read_stack_file(source)
    config = dict(document.get("config") or {})
    config.pop("expires", None)
    config[f"{project}:expires"] = as_clock(expires)
    kept = {name: before[name] for name in _OF_SECRETS if name in before}
    if salt:
        kept["encryptionsalt"] = salt
    text = yaml.safe_dump({**document, **kept, "config": config}, sort_keys=False)
    path.write_text(_FIRST_LINE.format(template=source.name) + text, encoding="utf-8")
    return path


def is_of_people(root: Path, stack: str) -> bool:
    """Return whether a stack has a file that was not written here, from a template."""
    path = file_of_stack(root, stack)
    return path.exists() and not path.read_text(encoding="utf-8").startswith(_MADE)


def remove_stack_file(root: Path, stack: str) -> None:
    """Remove the file of an environment's stack, not one that somebody wrote."""
    if not is_of_people(root, stack):
        file_of_stack(root, stack).unlink(missing_ok=True)


def read_stack_file(path: Path) -> dict[str, Any]:
    """Return what a stack's file has; raises InfraError where it is missing or is no such file."""
    try:
        document: object = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not YAML"
        raise InfraError(
            f"cannot be read ({reason})", place=path.name, remedy="name a stack's file by --template"
        ) from None
    if not isinstance(document, dict):
        raise InfraError("is not the file of a stack", place=path.name, remedy="it begins with `config:`")
    return cast("dict[str, Any]", document)
