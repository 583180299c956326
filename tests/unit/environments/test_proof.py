"""What a proof says of a server's facts before and after a teardown."""

from __future__ import annotations

import pytest

from infra.environments.proof import ServerFacts, compare_facts
from infra.errors import InfraError
from infra.postgres.introspection.cluster_catalog import ClusterFact

OWN, OTHER, PEOPLES = (
    ClusterFact("database a", frozenset({"a"})),
    ClusterFact("database b", frozenset({"b"})),
    ClusterFact("role joe", frozenset({"joe"})),
)
MARKED = {"pr-1": frozenset({"a"}), "pr-2": frozenset({"b"})}


def server(*facts: ClusterFact) -> ServerFacts:
    return ServerFacts(frozenset(facts), MARKED)


def compared(before: ServerFacts, after: ServerFacts, own: frozenset[str] = frozenset()) -> str:
    return compare_facts("pr-1", own, before, after)


def test_what_is_gone_is_counted() -> None:
    """The rest is as it was."""
    shown = "proved: 1 facts of the server's catalog are gone, the other 1 are as they were"
    assert compared(server(OWN, PEOPLES), server(PEOPLES)) == shown


def test_other_environments_may_change_meanwhile() -> None:
    """They come and go, and have marks."""
    assert "proved" in compared(server(OWN, PEOPLES), server(OTHER, PEOPLES))


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (server(OWN, PEOPLES), "is left of it: database a"),
        (server(), "has changed and is not about it: role joe"),
        (server(PEOPLES, ClusterFact("role new", frozenset({"new"}))), "has changed and is not about it: role new"),
    ],
)
def test_what_is_not_as_it_was(after: ServerFacts, problem: str) -> None:
    """What is left, and what else has come or gone."""
    with pytest.raises(InfraError, match=problem):
        compared(server(OWN, PEOPLES), after)


def test_what_was_made_before_there_was_a_mark_counts_too() -> None:
    """A run that failed half-way has written no mark; the state knows what it made."""
    with pytest.raises(InfraError, match="is left of it: role joe"):
        compared(server(OWN, PEOPLES), server(PEOPLES), own=frozenset({"joe"}))
