"""Imported modules and the proof that they create the same schema as the dump or the database that they come from."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.backup.programs import client_programs, run_client
from infra.catalog.catalog import ACCESS, NOTES, Catalog
from infra.catalog.difference import differences
from infra.check.in_modules import extensions_of
from infra.check.proofs import run_again, run_modules
from infra.errors import InfraError
from infra.modules.module import load_modules
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection.connect import connect
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import read_catalog
from infra.sql_import.declarative import declarative_models
from infra.sql_import.dump import read_dump
from infra.sql_import.modules import module_texts, sorted_by_purpose

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.modules.module import Module
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer
    from infra.sql_import.dump import Dump

_MOST_SHOWN = 20


@dataclass(frozen=True)
class ImportedModules:
    """The text of each module by file name, what they create, their extensions, and models if they were asked for.

    `is_history` is whether a later module drops or replaces what an earlier one creates.
    """

    files: dict[str, str]
    catalog: Catalog
    extensions: list[str]
    models: str
    is_history: bool


def proved_modules(
    server: ScratchServer, dump: Dump, live: Catalog | None, *, source: str, into: Path, with_models: bool
) -> ImportedModules:
    """Return modules that create what the database `live` or the text of the dump has.

    They have the order of the dump, or, where that makes fewer modules and creates the same, are sorted by purpose.
    Where later statements drop or replace what earlier ones create, they are those of pg_dump, which only create.
    `source` is named in their first lines, `into` in messages. Raises InfraError where nothing can be proved.
    """
    imported = _in_best_order(server, dump, live, source=source, into=into, with_models=with_models)
    if imported.is_history:
        outcome = read_dump(_dumped(server, dump, imported.extensions), "pg_dump")
        with suppress(InfraError):
            expected = imported.catalog
            created = _in_best_order(server, outcome, expected, source=source, into=into, with_models=with_models)
            return replace(created, is_history=True)
    return replace(imported, is_history=False)


def _in_best_order(
    server: ScratchServer, dump: Dump, live: Catalog | None, *, source: str, into: Path, with_models: bool
) -> ImportedModules:
    in_order = module_texts(dump.statements, source=source)
    by_purpose = module_texts(sorted_by_purpose(dump.statements), source=source)
    if len(by_purpose) < len(in_order):
        try:
            return _proved(server, by_purpose, dump, live, into=into, with_models=with_models)
        except InfraError:  # such as an index that is dropped again: only the dump's own order is right
            pass
    return _proved(server, in_order, dump, live, into=into, with_models=with_models)


def _proved(
    server: ScratchServer, files: dict[str, str], dump: Dump, live: Catalog | None, *, into: Path, with_models: bool
) -> ImportedModules:
    modules = _modules_of(files, into)
    extensions = list(extensions_of(modules))
    given = server.extensions_for_administrators(extensions)
    with server.database(given) as scratch:
        catalog = _run(scratch, modules, dump)
        models = declarative_models(scratch) if with_models else ""
        is_history = dump.replaces and bool(run_again(scratch, modules)[0])
    if live:
        _require_equal(_without(live, dump.lacking), _without(catalog, dump.lacking))
    else:
        _require_equal(_catalog_of_text(server, dump.comparable, given), catalog)
    return ImportedModules(files, catalog, extensions, models, is_history)


def _dumped(server: ScratchServer, dump: Dump, extensions: Sequence[str]) -> str:
    """Return pg_dump's text of what a dump creates."""
    with server.database(server.extensions_for_administrators(extensions)) as scratch:
        _run_text(scratch, dump.comparable)
        with connect(scratch.target) as connection:
            programs = client_programs(connection.info.server_version // 10_000, None)
        return run_client(programs / "pg_dump", scratch.target, ["--schema-only", "--no-owner", "--no-privileges"])


def _modules_of(files: Mapping[str, str], into: Path) -> list[Module]:
    with tempfile.TemporaryDirectory(prefix="platform-postgres-import-") as folder:
        for name, content in files.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        return load_modules(Path(folder), shown_as=str(into))


def _run(scratch: ScratchTarget, modules: list[Module], dump: Dump) -> Catalog:
    """Run the modules, and return what they create."""
    run = run_modules(scratch, modules, roll_back_first=False)
    if not run.complete:
        finding = run.findings[-1]
        place = finding.place
        module = next(module for module in modules if module.path == place.path)
        offset = sum(len(line) for line in module.text.splitlines(keepends=True)[: place.line - 1])
        raise InfraError(
            f"the module would not run: {finding.message}",
            place=dump.place_of(module.text, offset) or str(place),
            remedy="correct the statement, or leave it out; nothing was written",
        )
    return run.catalog


def _catalog_of_text(server: ScratchServer, text: str, extensions: Sequence[str]) -> Catalog:
    """Return what a text of SQL creates where all of it runs in one session, as psql runs it."""
    with server.database(extensions) as scratch:
        _run_text(scratch, text)
        with connect(scratch.target, autocommit=True) as connection:
            return catalog_with_real_names(scratch, read_catalog(connection))


def _run_text(scratch: ScratchTarget, text: str) -> None:
    with connect(scratch.target, autocommit=True) as connection:
        simple_query(connection, f"SET search_path = public;\n{text}")


def _require_equal(expected: Catalog, created: Catalog) -> None:
    found = differences(_compared(expected), _compared(created))
    if found:
        shown = [f"  {difference}" for difference in found[:_MOST_SHOWN]]
        count = f"{len(found)} differences" if len(found) > 1 else "1 difference"
        raise InfraError(
            "\n".join([f"the modules would not create the same schema: {count}; nothing was written", *shown]),
            place="import",
        )


def _compared(catalog: Catalog) -> Catalog:
    """Return a catalog without owners, privileges and versions of extensions, which are not a dump's."""
    return _without(catalog, (*ACCESS, *NOTES))


def _without(catalog: Catalog, kinds: Collection[str]) -> Catalog:
    return Catalog({identity: text for identity, text in catalog.objects.items() if identity.kind not in kinds})
