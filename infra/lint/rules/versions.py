"""The rule on versions of PostgreSQL: what the server of a stack is too old for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.lint.rule import Violation, rule, violation
from infra.modules.tree import descendants, enum_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.lint.rule import LintProject
    from infra.modules.tree import Tree

_PERHAPS_NEW = re.compile(
    r"GENERATED|OVERLAPS|PERIOD|ENFORCED|INHERIT|VALID|RETURNING|JSON_|\bJSON *[()]|IS +(NOT +)?JSON|MERGE|NULLS"
    r"|SET\s+(NULL|DEFAULT)\s*\(|NOT\s+NULL\s+\w",
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
    "MergeStmt": (Feature(15, _always, "MERGE"),),
    "IndexStmt": (Feature(15, _has("nulls_not_distinct"), "NULLS NOT DISTINCT"),),
}
"""What is newer than the oldest version that is supported, by the parser's messages (release notes, appendix E)."""


@rule("M417", "Newer than the server")
def newer_than_server(project: LintProject) -> Iterator[Violation]:
    """The parser is that of PostgreSQL 18; a server of an older version refuses what came later."""
    stack = min((stack for stack in project.stacks if stack.version), key=lambda stack: stack.version, default=None)
    if not stack or stack.version >= max(feature.since for features in _NEW.values() for feature in features):
        return
    for file in project.files:
        for statement in file.statements:
            if not _PERHAPS_NEW.search(file.text, statement.start, statement.end):
                continue
            found = {
                feature.words: feature.since
                for message in descendants(statement.tree)
                for feature in _NEW.get(type(message).__name__, ())
                if feature.since > stack.version and feature.applies(message)
            }
            for words, since in found.items():
                message = (
                    f"{words}: PostgreSQL {since} has it, and the server of {stack.path} is PostgreSQL {stack.version}"
                )
                yield violation(statement, message, "write it otherwise, or move the stack to a newer version")
