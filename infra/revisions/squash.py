"""Squashes a history: revisions up to one of them become part of the baseline, which refuses older databases by name.

The baseline's modules stay, and get one more with the statements of the squashed revisions. So a database that was made
elsewhere is still brought to the baseline by what it lacks of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.difference import differences
from infra.check.in_modules import extensions_of
from infra.check.released import git
from infra.check.stack_files import further_roles_of_stacks
from infra.errors import InfraError
from infra.migrations.history import BASELINE_FOLDER, file_digests, required_history, write_lock
from infra.migrations.revision_sql import upgrade_sql
from infra.modules.directive import DIRECTIVE
from infra.modules.module import Module, load_modules
from infra.modules.restrictions import needs_no_transaction
from infra.modules.safe_forms import in_transaction
from infra.modules.statements import parse
from infra.plan.folding import explained_findings
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.revision_effects import build_revisions
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.introspection.reader import read_catalog
from infra.revisions.beginning import BASELINE_REVISION
from infra.server.scratch.scratch_server import MODULE_SECONDS, scratch_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.migrations.history import History, Revision


def squash_revisions(directory: str, last: str) -> list[str]:
    """Make the revisions up to `last` part of the baseline, and return what was written and removed, in lines.

    Both ways to that revision are run on scratch databases first. Raises InfraError, and changes nothing, where they
    lead to different catalogs, or no release has the revisions.
    """
    history = required_history(directory)
    position = history.positions.get(last)
    if not position:
        ids = ", ".join(revision.revision for revision in history.revisions[1:])
        what = "is the baseline already" if position == 0 else f"is not in {directory}/"
        remedy = f"name one of {ids}" if ids else "there is no revision after the baseline"
        raise InfraError(what, place=f"revision {last}", remedy=remedy)
    squashed = history.revisions[: position + 1]
    release = _release_with(squashed)
    folder = Path(directory, BASELINE_FOLDER)
    number = len(load_modules(folder)) + 1
    title = re.sub(r"[^a-z0-9]+", "-", f"revisions {squashed[1].revision} to {last}".lower()).strip("-")
    added = folder / f"{number:02}-{title}.sql"
    text = _module_text(squashed[1:])
    _prove(history, squashed[1:], added, text)
    baseline = Path(directory, "versions", f"{last}_baseline.py")
    first = min(history.squashed, default=squashed[0].revision)
    for revision in squashed:
        Path(revision.path).unlink()
    if text:
        added.write_text(text, encoding="utf-8")
    text = BASELINE_REVISION.format(
        directory=directory,
        which=f": the revisions {first} to {last}",
        revision=last,
        why="the revisions before the baseline are gone",
        which_has=f" {last}, which has {first} to {last}",
    )
    baseline.write_text(text, encoding="utf-8")
    after = (revision.path.removeprefix(f"{directory}/") for revision in history.after(last, ""))
    names = [f"versions/{baseline.name}", *after]
    older = {**history.squashed, **{revision.revision: release for revision in squashed[:-1]}}
    write_lock(directory, file_digests(directory, names), older)
    lines = [f"{revision.path}: removed" for revision in squashed]
    return [*lines, f"{baseline}: written", *([f"{added}: written"] if text else [])]


def _release_with(revisions: Sequence[Revision]) -> str:
    """Return the release that has these revisions, as git names the commit; '-' outside of a repository."""
    if git(Path(revisions[0].path).parent, "rev-parse", "--git-dir") is None:
        return "-"
    for revision in revisions:
        path = Path(revision.path)
        if git(path.parent, "ls-tree", "--name-only", "HEAD", path.name) != path.name or git(
            path.parent, "status", "--porcelain", "--", path.name
        ):
            raise InfraError(
                "is not committed, so that no release would have it",
                place=revision.path,
                remedy="commit and release it first; a database that is older has to go through that release",
            )
    return git(Path(revisions[0].path).parent, "describe", "--tags", "--always", "HEAD") or "-"


def _module_text(revisions: Sequence[Revision]) -> str:
    """Return the statements of revisions as a module; those that run outside of a transaction in their usual form."""
    lines: list[str] = []
    for revision in upgrade_sql(revisions):
        lines += ["", f"-- {revision.path}"]
        lines += [f"{in_transaction(statement.sql)};" for statement in revision.statements]
    text = "\n".join(lines).lstrip("\n") + "\n"
    if not parse(text, ""):
        return ""
    if any(needs_no_transaction(statement) for statement in parse(text, "")):
        text = f"{DIRECTIVE}\n{text}"
    return text


def _prove(history: History, squashed: Sequence[Revision], added: Path, text: str) -> None:
    """Raise InfraError where the new baseline is another schema than the old one with its revisions."""
    modules = load_modules(added.parent, shown_as=str(added.parent))
    new = [*modules, *([Module(len(modules) + 1, added.stem, str(added), text)] if text else [])]
    with scratch_server(None, further_roles_of_stacks(Path(), Path(history.directory).parent / "sql")) as server:
        given = server.extensions_for_administrators(extensions_of(new))
        with server.database(given) as scratch, pool.connection(scratch.target) as connection:
            build_revisions(connection, scratch, history, squashed, seconds=MODULE_SECONDS)
            before = catalog_with_real_names(scratch, read_catalog(connection))
        with server.database(given) as scratch, pool.connection(scratch.target) as connection:
            for module in new:
                run_on_scratch(connection, scratch, module, seconds=MODULE_SECONDS)
            after = catalog_with_real_names(scratch, read_catalog(connection))
    lines = explained_findings(differences(before, after), "(- by the revisions, + by their statements)")
    if lines:
        text = "\n  ".join(["the statements of the revisions lead to another schema than the revisions:", *lines])
        raise InfraError(text, place=f"revision {squashed[-1].revision}", remedy="name an earlier one")
