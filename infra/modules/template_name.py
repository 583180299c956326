"""The names of templates, databases that have the modules already: each has a digest of all that is in it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module

TEMPLATES = "environments"
"""The group, of no stack, to which the template of a project's environments belongs."""


def templates_stack(project: str) -> str:
    """Return the stack to which the ledger of a project's template belongs: none can have this name."""
    return f"{project}/template of environments"


def group_mark(group: str, stack: str) -> str:
    """Return the comment by which what a group of a stack has is known."""
    return f"platform-postgres: group {group} of stack {stack}"


def template_mark(mark: str) -> str:
    """Return the comment by which the templates of a group with a mark are known."""
    return f"{mark}, a template"


def template_name(
    group: str, mark: str, modules: Sequence[Module], extensions: Sequence[str], *, revision: str, rows: bool
) -> str:
    """Return the name of the template for a group with a mark; with `rows` it may have any that modules inserted."""
    texts = (part for module in modules for part in (module.name, module.text))
    parts = [mark, str(rows), revision, *extensions, *texts]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{group[:24]}_template_{digest[:12]}"
