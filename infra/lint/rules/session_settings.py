"""Rules that compare modules with the stacks' settings: extensions, and the libraries that some of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.builtins import PRELOADED
from infra.lint.rule import Hit, at, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject


@rule("M409", "An extension that the settings do not name")
def undeclared(project: LintProject) -> Iterator[Hit]:
    """The stack creates extensions with the rights that they need, and looks first whether the server has them."""
    for located in project.statements("create_extension_stmt"):
        name = located.tree.extname
        without = [stack.path for stack in project.stacks if name not in stack.extensions]
        if without and name != "plpgsql":
            what = f"{name} is not among the extensions of {', '.join(without)}"
            yield at(located, what, "add it to `extensions` there, or remove it here")


@rule("M414", "An extension whose library is not loaded")
def not_preloaded(project: LintProject) -> Iterator[Hit]:
    """Some extensions work only when the server has loaded their library at its start."""
    for located in project.statements("create_extension_stmt"):
        name = located.tree.extname
        without = [stack.path for stack in project.stacks if name not in stack.preloaded]
        if name in PRELOADED and without:
            what = f"{name} needs its library, which {', '.join(without)} does not load"
            yield at(located, what, f"add {name} to `shared_preload_libraries` in `server.settings` there")
