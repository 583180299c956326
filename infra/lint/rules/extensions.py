"""Rules on extensions: the settings of the stacks name them, and load the libraries that some of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.builtins import PRELOADED_EXTENSIONS
from infra.lint.rule import Violation, rule, violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject


@rule("M409", "An extension that the settings do not name")
def undeclared_extension(project: LintProject) -> Iterator[Violation]:
    """The stack creates extensions with the rights that they need, and first checks whether the server has them."""
    for statement in project.statements("create_extension_stmt"):
        name = statement.tree.extname
        stacks_without = [stack.path for stack in project.stacks if name not in stack.extensions]
        if stacks_without and name != "plpgsql":  # every database has it (PostgreSQL manual, PL/pgSQL, Overview)
            message = f"{name} is not among the extensions of {', '.join(stacks_without)}"
            yield violation(statement, message, "add it to `extensions` there, or remove it here")


@rule("M414", "An extension whose library is not loaded")
def library_not_loaded(project: LintProject) -> Iterator[Violation]:
    """Some extensions work only when the server has loaded their library at its start."""
    for statement in project.statements("create_extension_stmt"):
        name = statement.tree.extname
        stacks_without = [stack.path for stack in project.stacks if name not in stack.preloaded]
        if name in PRELOADED_EXTENSIONS and stacks_without:
            message = f"{name} needs its library, which {', '.join(stacks_without)} does not load"
            yield violation(statement, message, f"add {name} to `shared_preload_libraries` in `server.settings` there")
