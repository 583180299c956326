"""The proof that an environment is gone: what its server had before and after, fact by fact."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from infra.environments.stack_state import address_of
from infra.errors import InfraError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.introspection.cluster_catalog import cluster_facts
from infra.postgres.marks import read_marks

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from infra.environments.stack_state import StackState
    from infra.postgres.connection.target import Target
    from infra.postgres.introspection.cluster_catalog import ClusterFact

_MOST_SHOWN = 10


class ServerFacts(NamedTuple):
    """The facts of a server at one moment, and the names of what environments have on it, by stack."""

    facts: frozenset[ClusterFact]
    environments: dict[str, frozenset[str]]


@contextmanager
def proved_gone(stack: str, state: StackState) -> Generator[list[str]]:
    """Yield a list for the line that says what was proved, once the stack is destroyed in the block.

    Raises InfraError where something is left of it, or something else has changed.
    """
    lines: list[str] = []
    if state.target is None:
        yield lines
        lines.append("it had nothing on a server")
        return
    before = None if state.is_own else server_facts(state.target)
    yield lines
    lines.append(
        compare_facts(stack, state.databases | state.roles, before, server_facts(state.target))
        if before
        else _server_gone(stack, state.target)
    )


def server_facts(target: Target) -> ServerFacts:
    """Return the facts of a server; raises InfraError where it cannot be reached."""
    try:
        with connect(target) as connection:
            marked = read_marks(connection)
            return ServerFacts(
                cluster_facts(connection),
                {found.mark.stack: frozenset((*found.databases, *found.roles)) for found in marked},
            )
    except psycopg.Error as error:
        raise translate_error(error, address_of(target)) from None


def compare_facts(stack: str, own: frozenset[str], before: ServerFacts, after: ServerFacts) -> str:
    """Return in a line that the databases and roles in `own` are gone, and that nothing else has changed.

    Facts of other environments may come and go meanwhile. Raises InfraError with the facts that are left of the stack,
    and those that have changed and are not about it.
    """
    own |= before.environments.get(stack, frozenset())
    others = frozenset[str]().union(
        *(names for facts in (before, after) for name, names in facts.environments.items() if name != stack)
    )
    left = [fact for fact in after.facts if fact.names & own]
    changed = [fact for fact in before.facts ^ after.facts if not fact.names & own and not fact.names & others]
    problems = [*_lines("is left of it", left), *_lines("has changed and is not about it", changed)]
    if problems:
        raise InfraError("\n".join(["not everything is as it was without it", *problems]), place=f"stack {stack}")
    gone = sum(1 for fact in before.facts if fact.names & own)
    return f"proved: {gone} facts of the server's catalog are gone, the other {len(after.facts)} are as they were"


def _server_gone(stack: str, target: Target) -> str:
    """Return in a line that the stack's own server is gone; raises InfraError where it still answers."""
    try:
        with connect(target):
            pass
    except psycopg.OperationalError:
        return "proved: its server no longer answers"
    raise InfraError(f"its server still answers at {target.host}:{target.port}", place=f"stack {stack}")


def _lines(what: str, facts: Iterable[ClusterFact]) -> list[str]:
    texts = sorted(fact.text for fact in facts)
    more = [f"  … and {len(texts) - _MOST_SHOWN} more"] if len(texts) > _MOST_SHOWN else []
    return [*(f"  {what}: {text}" for text in texts[:_MOST_SHOWN]), *more]
