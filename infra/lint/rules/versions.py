"""The rule on versions of PostgreSQL: what the server of a stack is too old for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.lint.rule import Violation, rule, violation
from infra.modules.references import sql_body
from infra.modules.tree import descendants, enum_value, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from infra.lint.rule import LintProject, LocatedStatement
    from infra.modules.statements import Statement
    from infra.modules.tree import Tree

_NEW_FUNCTIONS = {
    18: """array_reverse array_sort casefold crc32 crc32c gamma has_largeobject_privilege lgamma pg_get_acl uuidv4
        uuidv7""",
    17: """icu_unicode_version jsonb_populate_record_valid pg_basetype pg_column_toast_chunk_id to_bin to_oct
        to_regtypemod unicode_assigned unicode_version uuid_extract_timestamp uuid_extract_version xmltext""",
    16: """any_value array_sample array_shuffle date_add date_subtract erf erfc pg_input_error_info pg_input_is_valid
        random_normal system_user""",
}
_FUNCTIONS = {name: since for since, names in _NEW_FUNCTIONS.items() for name in names.split()}
_PERHAPS_NEW = re.compile(
    r"GENERATED\s+ALWAYS\s+AS\s*\(|OVERLAPS|PERIOD|ENFORCED|INHERIT|VALID|RETURNING|JSON_|\bJSON *[()]|IS +(NOT +)?JSON"
    r"|MERGE|NULLS|SET\s+(NULL|DEFAULT)\s*\(|NOT\s+NULL\s+\w|STORAGE|EXPRESSION|MAINTAIN|LARGE\s+OBJECTS|UNLOGGED"
    r"|FROM\s*\(|,\s*\(\s*SELECT|JOIN\s*\(|STATISTICS|PUBLICATION|builtin|transaction_timeout|security_invoker"
    r"|max_threshold|eager_freeze|" + "|".join(rf"\b{name}\b" for name in _FUNCTIONS),
    re.IGNORECASE,
)
"""Words without which a statement uses nothing of `_NEW`: to look at each message of every tree takes long."""


class Feature(NamedTuple):
    """What a version of PostgreSQL introduced: how to see that a message of the parser uses it, and its words."""

    since: int
    applies: Callable[[Any], bool]
    words: str


def _is_not_enforced(tree: Tree) -> bool:
    return enum_value(tree, "contype") in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and not tree.is_enforced


def _is_named_not_null(tree: Tree) -> bool:
    """Return whether NOT NULL is a constraint of the table, or has an option: before 18 it was a column's, and bare."""
    is_more = bool(tree.keys or tree.is_no_inherit or tree.skip_validation)
    return enum_value(tree, "contype") == "CONSTR_NOTNULL" and is_more


def _always(_tree: Tree) -> bool:
    return True


def _has(field: str) -> Callable[[Tree], bool]:
    """Return whether a field of a message is set."""
    return lambda tree: bool(getattr(tree, field))


def _is_not_stored(tree: Tree) -> bool:
    return bool(tree.generated_kind == "v")


def _is_by_source(tree: Tree) -> bool:
    return enum_value(tree, "match_kind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"


def _is_provided_by(provider: str) -> Callable[[Tree], bool]:
    def applies(tree: Tree) -> bool:
        return bool(tree.defname == "provider" and strings(tree.arg.type_name.names) == [provider])

    return applies


def _is_option(*names: str) -> Callable[[Tree], bool]:
    return lambda tree: bool(tree.defname in names)


def _sets(name: str) -> Callable[[Tree], bool]:
    return lambda tree: bool(tree.name == name)


def _is_unlogged_sequence(tree: Tree) -> bool:
    return bool(tree.sequence.relpersistence == "u")


def _sets_expression(tree: Tree) -> bool:
    return enum_value(tree, "subtype") == "AT_SetExpression"


def _sets_default_storage(tree: Tree) -> bool:
    return enum_value(tree, "subtype") == "AT_SetStorage" and getattr(tree, "def").string.sval == "default"


def _is_maintain(tree: Tree) -> bool:
    return bool(tree.priv_name == "maintain")


def _has_no_alias(tree: Tree) -> bool:
    return not tree.HasField("alias")


def _has_no_name(tree: Tree) -> bool:
    return not tree.defnames


def _is_of_schema(tree: Tree) -> bool:
    return "TABLES_IN" in enum_value(tree, "pubobjtype")


def _is_of_part(tree: Tree) -> bool:
    return bool(tree.columns or tree.HasField("where_clause"))


def _is_on_large_objects(tree: Tree) -> bool:
    return enum_value(tree, "targtype") == "ACL_TARGET_DEFAULTS" and enum_value(tree, "objtype") == "OBJECT_LARGEOBJECT"


_NEW: dict[str, tuple[Feature, ...]] = {
    "Constraint": (
        Feature(18, _is_not_stored, "a generated column that is not STORED"),
        Feature(18, _has("without_overlaps"), "WITHOUT OVERLAPS"),
        Feature(18, _has("fk_with_period"), "a foreign key with PERIOD"),
        Feature(18, _is_not_enforced, "NOT ENFORCED"),
        Feature(18, _is_named_not_null, "a constraint NOT NULL of a table"),
        Feature(15, _has("nulls_not_distinct"), "NULLS NOT DISTINCT"),
        Feature(15, _has("fk_del_set_cols"), "ON DELETE SET … of some columns"),
    ),
    "ATAlterConstraint": (
        Feature(18, _has("alter_enforceability"), "ENFORCED"),
        Feature(18, _has("alter_inheritability"), "ALTER CONSTRAINT … INHERIT"),
    ),
    "ReturningClause": (Feature(18, _has("options"), "RETURNING WITH (OLD …, NEW …)"),),
    "JsonTable": (Feature(17, _always, "JSON_TABLE"),),
    "JsonFuncExpr": (Feature(17, _always, "JSON_EXISTS, JSON_QUERY and JSON_VALUE"),),
    "JsonParseExpr": (Feature(17, _always, "JSON()"),),
    "JsonScalarExpr": (Feature(17, _always, "JSON_SCALAR"),),
    "JsonSerializeExpr": (Feature(17, _always, "JSON_SERIALIZE"),),
    "MergeWhenClause": (Feature(17, _is_by_source, "WHEN NOT MATCHED BY SOURCE"),),
    "MergeSupportFunc": (Feature(17, _always, "merge_action()"),),
    "JsonObjectConstructor": (Feature(16, _always, "JSON_OBJECT"),),
    "JsonArrayConstructor": (Feature(16, _always, "JSON_ARRAY"),),
    "JsonIsPredicate": (Feature(16, _always, "IS JSON"),),
    "MergeStmt": (Feature(17, _has("returning_clause"), "MERGE … RETURNING"), Feature(15, _always, "MERGE")),
    "IndexStmt": (Feature(15, _has("nulls_not_distinct"), "NULLS NOT DISTINCT"),),
    "DefElem": (
        Feature(18, _is_option("autovacuum_vacuum_max_threshold"), "autovacuum_vacuum_max_threshold"),
        Feature(18, _is_option("vacuum_max_eager_freeze_failure_rate"), "vacuum_max_eager_freeze_failure_rate"),
        Feature(18, _is_option("publish_generated_columns"), "publish_generated_columns"),
        Feature(17, _is_provided_by("builtin"), "a collation of the provider builtin"),
        Feature(15, _is_option("security_invoker"), "security_invoker"),
    ),
    "GrantStmt": (Feature(18, _is_on_large_objects, "ALTER DEFAULT PRIVILEGES … ON LARGE OBJECTS"),),
    "AccessPriv": (Feature(17, _is_maintain, "the privilege MAINTAIN"),),
    "AlterTableCmd": (
        Feature(17, _sets_expression, "ALTER COLUMN … SET EXPRESSION"),
        Feature(16, _sets_default_storage, "SET STORAGE DEFAULT"),
    ),
    "VariableSetStmt": (Feature(17, _sets("transaction_timeout"), "the setting transaction_timeout"),),
    "RangeSubselect": (Feature(16, _has_no_alias, "a subquery without an alias"),),
    "ColumnDef": (Feature(16, _has("storage_name"), "STORAGE of a column in CREATE TABLE"),),
    "JsonArrayAgg": (Feature(16, _always, "JSON_ARRAYAGG"),),
    "JsonObjectAgg": (Feature(16, _always, "JSON_OBJECTAGG"),),
    "CreateStatsStmt": (Feature(16, _has_no_name, "CREATE STATISTICS without a name"),),
    "CreateSeqStmt": (Feature(15, _is_unlogged_sequence, "an unlogged sequence"),),
    "PublicationObjSpec": (Feature(15, _is_of_schema, "a publication of a schema"),),
    "PublicationTable": (
        Feature(
            15,
            _is_of_part,
            "a publication of some rows or columns",
        ),
    ),
}
"""What is newer than the oldest version that is supported, by the parser's messages (release notes, appendix E)."""


NEWEST = max(*_NEW_FUNCTIONS, *(feature.since for features in _NEW.values() for feature in features))


@rule("M417", "Newer than the server")
def newer_than_server(project: LintProject) -> Iterator[Violation]:
    """The parser is that of PostgreSQL 18; a server of an older version refuses what came later."""
    stack = min((stack for stack in project.stacks if stack.version), key=lambda stack: stack.version, default=None)
    if not stack or stack.version >= NEWEST:
        return
    own = {name for kind, (_, name) in project.state.first_created if kind == "function"}
    for file in project.files:
        for statement in file.statements:
            if not _PERHAPS_NEW.search(file.text, statement.start, statement.end):
                continue
            for words, since in newer_features(statement, stack.version, own).items():
                message = (
                    f"{words}: PostgreSQL {since} has it, and the server of {stack.path} is PostgreSQL {stack.version}"
                )
                yield violation(statement, message, "write it otherwise, or move the stack to a newer version")


def newer_features(statement: LocatedStatement | Statement, version: int, own: Collection[str] = ()) -> dict[str, int]:
    """Return what a statement uses that a version does not have, with the version that has it.

    `own` are the modules' own functions, which may have the names of new ones.
    """
    trees = [statement.tree]
    if statement.kind == "create_function_stmt":
        trees += [inner.tree for inner in sql_body(statement.tree)]
    return {words: since for tree in trees for since, words in _uses(tree, own) if since > version}


def _uses(tree: Tree, own: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield what a tree uses of `_NEW`, and calls of functions that are new and not the modules' own."""
    for message in descendants(tree):
        kind = type(message).__name__
        for feature in _NEW.get(kind, ()):
            if feature.applies(message):
                yield feature.since, feature.words
        if kind == "FuncCall":
            schema, name = qualified_name(strings(message.funcname))
            if name in _FUNCTIONS and schema in {"", "pg_catalog"} and name not in own:
                yield _FUNCTIONS[name], f"{name}()"
