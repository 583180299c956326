"""Which template new databases of an environment are clones of, where its server has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.migrations.history import read_history
from infra.modules.template_name import TEMPLATES, group_mark, template_mark, template_name, templates_stack
from infra.settings.servers import ExternalSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.settings.model import Settings


def is_cloned(settings: Settings) -> bool:
    """Return whether new databases may be clones: those of an environment on a server that is there.

    Not with schemas that some roles may not use: a clone's roles are granted what default privileges would have.
    """
    is_environment = bool(settings.expires) and isinstance(settings.server, ExternalSettings)
    return is_environment and not settings.modules.private_schemas


def template_of(settings: Settings, modules: Sequence[Module], *, project: str) -> tuple[str, str] | None:
    """Return the name of the template with a stack's modules, which need not exist, and its comment; None for none."""
    if not is_cloned(settings):
        return None
    history = read_history(settings.modules.migrations)
    mark = group_mark(TEMPLATES, templates_stack(project))
    revision = history.head if history else ""
    name = template_name(TEMPLATES, mark, modules, settings.extensions, revision=revision, rows=False)
    return name, template_mark(mark)
