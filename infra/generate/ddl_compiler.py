"""SQLAlchemy's compiler of DDL for files that people read: CREATE TABLE in columns, its constraints set aside."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGDialect, PGTypeCompiler
from sqlalchemy.exc import CompileError, UnsupportedCompilationError

from infra.catalog.identifiers import unquoted
from infra.modules.generated_names import generated_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, Constraint, Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.schema import CreateColumn, CreateTable

INDENT = "    "
_QUOTED = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*'|\bCOLLATE\b)""")
_WITH_TIME_ZONE = re.compile(r"\btimestamp(\(\d\))? with time zone\b")

ColumnParts = tuple[str, str, str]
"""A column: its name, its type, and everything else."""


@dataclass(frozen=True)
class ConstraintText:
    """A constraint of a table: its name, '' for one without, and its definition without the name."""

    constraint: Constraint
    name: str
    definition: str


class StableCompiler(PGDDLCompiler):
    """SQLAlchemy's compiler for a fresh database: the same text every time, and nothing that needs existing rows."""

    def visit_create_column(self, create: Any, *_positional: Any, **_options: Any) -> Any:  # noqa: ANN401
        """Return a column with its checks in the order of their declaration; SQLAlchemy has them in a set."""
        column = create.element
        if column.system:
            return None
        checks = (self.process(check) for check in sorted(column.constraints, key=attrgetter("_creation_order")))
        return " ".join([self.get_column_specification(column), *filter(None, checks)])

    def visit_create_index(self, create: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return CREATE INDEX without CONCURRENTLY, which a transaction refuses."""
        dialect: Any = self.dialect
        dialect._supports_create_index_concurrently = False  # noqa: SLF001
        return cast("str", super().visit_create_index(create, **options))


class _PlainTypes(PGTypeCompiler):
    """SQLAlchemy's compiler of types, for which a decorated type is what it says, whatever the driver.

    Drivers have types of their own for values: `type_descriptor(Text())` is VARCHAR to psycopg and TEXT to psycopg2.
    """

    def visit_type_decorator(self, type_: Any, **options: Any) -> str:  # noqa: ANN401 (SQLAlchemy's own signature)
        """Return the type that a decorator has on PostgreSQL."""
        return self.process(type_.type_engine(_NO_DRIVER), **options)


def use_stable_compilers(dialect: Dialect) -> None:
    """Set the compilers of a driver's dialect to those that create what the modules create."""
    dialect.ddl_compiler = StableCompiler
    dialect.type_compiler = dialect.type_compiler_instance = _PlainTypes(dialect)


class ModuleCompiler(StableCompiler):
    """The compiler of one statement.

    `constraints` are those that it left out of a CREATE TABLE, in their order; `key_name` is that of the primary key.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (SQLAlchemy's own signature)
        self.constraints: list[ConstraintText] = []
        self.key_name = ""
        super().__init__(*arguments, **options)

    def visit_create_table(self, create: CreateTable, **_options: object) -> str:
        """Return CREATE TABLE with its primary key, aligned in three columns: name, type, everything else."""
        table = create.element
        if table.dialect_options["postgresql"]["with_oids"]:
            raise CompileError("WITH OIDS, which PostgreSQL has no more since version 12")
        columns = [parts for column in create.columns if (parts := self._parts(column))]
        keys = self.create_table_constraints(
            table, _include_foreign_key_constraints=create.include_foreign_key_constraints
        )
        self._merge_redundant(keys.partition("PRIMARY KEY ")[2])
        if keys and not self.key_name:
            self.key_name = generated_name(stored_name(table.name), (), "pkey")
        if keys:
            keys = f"CONSTRAINT {self.preparer.quote(self.key_name)} PRIMARY KEY {keys.partition('PRIMARY KEY ')[2]}"
        lines = [*_aligned(columns), *filter(None, [keys])]
        body = ",\n".join(INDENT + line for line in lines)
        words = ["CREATE", *table_prefixes(table), "TABLE", self.preparer.format_table(table)]
        words += filter(None, [self.create_table_suffix(table)])
        options = "".join(f"\n{line.strip()}" for line in self.post_create_table(table).strip().splitlines())
        return f"{' '.join(words)} (\n{body}\n){options}"

    def visit_primary_key_constraint(self, constraint: Any, **options: Any) -> str:  # noqa: ANN401
        """Return the primary key, and keep its name."""
        self.key_name = self._name(constraint)[1]
        return super().visit_primary_key_constraint(constraint, **options)

    def visit_check_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ANN401
        """Set a check aside."""
        self._set_aside(constraint, super().visit_check_constraint(constraint, **options))

    def visit_column_check_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ANN401
        """Set the check of a column aside."""
        self._set_aside(constraint, super().visit_column_check_constraint(constraint, **options))

    def visit_unique_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ANN401
        """Set a unique constraint aside."""
        self._set_aside(constraint, super().visit_unique_constraint(constraint, **options))

    def visit_exclude_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ANN401
        """Set an exclusion constraint aside."""
        self._set_aside(constraint, super().visit_exclude_constraint(constraint, **options))

    def visit_foreign_key_constraint(self, constraint: Any, **_options: Any) -> Any:  # noqa: ANN401
        """Set a foreign key aside, always with its ON DELETE."""
        own = ", ".join(self.preparer.quote(column.name) for column in constraint.columns)
        referred = ", ".join(self.preparer.quote(element.column.name) for element in constraint.elements)
        cascades = self.define_constraint_cascades(constraint)
        parts = [
            f"FOREIGN KEY ({own})",
            f"REFERENCES {self.preparer.format_table(constraint.referred_table)} ({referred})",
            self.define_constraint_match(constraint),
            cascades if constraint.ondelete is not None else f"ON DELETE NO ACTION {cascades.strip()}",
            self.define_constraint_deferrability(constraint),
        ]
        definition = " ".join(filter(None, (part.strip() for part in parts)))
        self.constraints.append(ConstraintText(constraint, self._name(constraint)[1], definition))

    def _set_aside(self, constraint: Constraint, text: str) -> None:
        """Add a constraint; a new table has no rows, so NOT VALID makes no difference, as PostgreSQL says too."""
        if text:
            formatted, name = self._name(constraint)
            definition = text.removeprefix(f"CONSTRAINT {formatted} ").removesuffix(" NOT VALID")
            self.constraints.append(ConstraintText(constraint, name, definition))

    def _merge_redundant(self, key: str) -> None:
        """Leave out what PostgreSQL takes for an earlier key, which gets its name if it has none.

        PostgreSQL does so within one CREATE TABLE (its source: transformIndexConstraints); `key` is the primary one.
        """
        kept: dict[str, ConstraintText] = {}
        for position, text in enumerate(self.constraints):
            is_index = text.definition.startswith(("UNIQUE ", "EXCLUDE "))
            earlier = kept.get(text.definition) if is_index else None
            if is_index and text.definition == f"UNIQUE {key}":
                self.key_name = self.key_name or text.name
            elif earlier:
                kept[text.definition] = replace(earlier, name=earlier.name or text.name)
            else:
                kept[text.definition if is_index else str(position)] = text
        self.constraints = list(kept.values())

    def _name(self, constraint: Constraint) -> tuple[str, str]:
        """Return a name as SQL writes it, shortened as SQLAlchemy does, and without quotes."""
        formatted = "" if constraint.name is None else self.preparer.format_constraint(constraint) or ""
        return formatted, unquoted(formatted)

    def _parts(self, create: CreateColumn) -> ColumnParts | None:
        """Return the parts of a column; a text that models compile themselves may not begin with the name."""
        try:
            text = self.process(create)
        except UnsupportedCompilationError:
            kind = type(create.element.type).__name__
            raise CompileError(f"column {create.element.name} has something of {kind} that it does not know") from None
        name = self.preparer.format_column(create.element)
        if not text:  # every table has a system column
            return None
        if not text.startswith(f"{name} "):
            return text, "", ""
        rest = text[len(name) + 1 :]
        type_name = self._type(create.element)
        if rest == type_name or rest.startswith(f"{type_name} "):
            options = rest[len(type_name) + 1 :]
        else:
            type_name, _, options = rest.partition(" ")  # such as SERIAL
        required = "NOT NULL" if create.element.identity is not None and not create.element.nullable else ""
        if options == "NOT NULL" or options.endswith(" NOT NULL"):
            options, required = options.removesuffix("NOT NULL").strip(), "NOT NULL"
        return name, lower_type(type_name), " ".join(filter(None, [required, options]))

    def _type(self, column: Column[Any]) -> str:
        compiler = self.dialect.type_compiler_instance
        return compiler.process(column.type, type_expression=column, identifier_preparer=self.preparer)


_NO_DRIVER = PGDialect()
DIALECT = PGDialect(paramstyle="named")  # the style that leaves percent signs alone
DIALECT.ddl_compiler = ModuleCompiler
# SQLAlchemy learns this from a server: strings are as the standard has them (standard_conforming_strings).
DIALECT._backslash_escapes = False  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def table_prefixes(table: Table) -> list[str]:
    """Return the words between CREATE and TABLE, such as UNLOGGED."""
    return list(cast("list[str]", table._prefixes))  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def lower_type(name: str) -> str:
    """Return the name of a type in lower case, without what is quoted in it."""
    parts = _QUOTED.split(name)
    lower = "".join(part if index % 2 else part.lower() for index, part in enumerate(parts))
    return _WITH_TIME_ZONE.sub(r"timestamptz\1", lower)


def stored_name(name: str) -> str:
    """Return a name as PostgreSQL stores it: it folds one that the models write without quotes (manual, 4.1.1)."""
    return name.lower() if getattr(name, "quote", None) is False else name


def quote_identifier(identifier: str) -> str:
    """Return an identifier as SQL writes it: in quotes only where PostgreSQL needs them."""
    return DIALECT.identifier_preparer.quote(identifier)


def _aligned(columns: list[ColumnParts]) -> Iterable[str]:
    widths = [max((len(parts[index]) for parts in columns), default=0) for index in (0, 1)]
    for name, type_name, rest in columns:
        yield f"{name:{widths[0]}} {type_name:{widths[1]}} {rest}".rstrip()
