"""The order in which objects are dropped, and what is dropped with them, from the dependencies that PostgreSQL records.

A part depends on its container by a dependency that is not `n` (manual, 52.18): a column or a policy on its table, a
partition on the partitioned table. PostgreSQL drops parts with their container, and drops no object on which another
one depends normally. Parts are the links that are cut where objects depend on each other in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from infra.catalog.catalog import OWNED, STRUCTURE, ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

NORMAL, INTERNAL = "n", "i"
"""The codes of the dependencies between different objects, and of a part that its container cannot be without."""


class ObjectAddress(NamedTuple):
    """An object as pg_depend names it: the catalog, the oid in it, and the number of a column, or 0."""

    catalog: int
    oid: int
    part: int


class Droppable(NamedTuple):
    """An object, and the statement that drops it if it exists."""

    identity: ObjectId
    statement: str


class Dependency(NamedTuple):
    """One row of pg_depend: what depends on what, and the code of the dependency."""

    dependent: ObjectAddress
    on: ObjectAddress
    code: str


class Dependant(NamedTuple):
    """An object that depends on what is dropped; it `blocks` that, or else PostgreSQL drops it as well."""

    identity: ObjectId
    on: ObjectId
    blocks: bool


@dataclass(frozen=True)
class DropList:
    """What dropping objects means: those that exist, what else depends on them, and the statements that drop all."""

    owned: tuple[ObjectId, ...] = ()
    dependants: tuple[Dependant, ...] = ()
    statements: tuple[str, ...] = ()


def drop_list_of(
    objects: Mapping[ObjectAddress, Droppable], dependencies: Iterable[Dependency], owned: Collection[ObjectId]
) -> DropList:
    """Return what dropping the objects `owned` means, given all objects of a database and their dependencies."""
    graph = _Graph(objects, dependencies)
    roots = {address for address, found in objects.items() if found.identity in owned}
    dropped = graph.with_parts(roots)
    blocking = (link for link in graph.normal if link.on in dropped and link.dependent not in dropped)
    dependants = [
        Dependant(graph.shown(link.dependent), graph.shown(graph.top(link.on, dropped)), blocks=True)
        for link in blocking
    ] + graph.parts_of_others(dropped, owned)
    return DropList(
        tuple(sorted(objects[address].identity for address in roots)),
        tuple(dict.fromkeys(sorted(dependants))),
        tuple(_statements(graph, dropped)),
    )


class _Graph:
    """Objects with their containers, parts and normal dependencies."""

    def __init__(self, objects: Mapping[ObjectAddress, Droppable], dependencies: Iterable[Dependency]) -> None:
        self.objects = objects
        self.normal: list[Dependency] = []
        self.containers: dict[ObjectAddress, dict[ObjectAddress, str]] = defaultdict(dict)
        self.parts: dict[ObjectAddress, list[ObjectAddress]] = defaultdict(list)
        columns = (Dependency(address, address._replace(part=0), "") for address in objects if address.part)
        for link in (*columns, *dependencies):
            if link.dependent not in objects or link.on not in objects:
                continue
            if link.code == NORMAL:
                self.normal.append(link)
            else:
                self.containers[link.dependent].setdefault(link.on, link.code)
                self.parts[link.on].append(link.dependent)

    def with_parts(self, roots: Collection[ObjectAddress]) -> set[ObjectAddress]:
        """Return objects with everything that PostgreSQL drops with them."""
        found: set[ObjectAddress] = set()
        remaining = list(roots)
        while remaining:
            address = remaining.pop()
            if address not in found:
                found.add(address)
                remaining += self.parts[address]
        return found

    def container(self, address: ObjectAddress, dropped: Collection[ObjectAddress]) -> ObjectAddress | None:
        """Return the object among those dropped that takes a part with it, None for an object that is no part."""
        return next((container for container in self.containers[address] if container in dropped), None)

    def top(self, address: ObjectAddress, dropped: Collection[ObjectAddress]) -> ObjectAddress:
        """Return the outermost container that is dropped."""
        while (container := self.container(address, dropped)) is not None:
            address = container
        return address

    def shown(self, address: ObjectAddress) -> ObjectId:
        """Return an object as the catalog has it: a view instead of its rule, a column instead of its default."""
        while self.objects[address].identity.kind not in STRUCTURE and self.containers[address]:
            address = next(iter(self.containers[address]))
        return self.objects[address].identity

    def is_internal(self, address: ObjectAddress) -> bool:
        """Return whether PostgreSQL made an object with another one, or as a part of such an object (TOAST's index)."""
        containers = self.containers[address]
        return INTERNAL in containers.values() or any(
            self.objects[container].identity.kind not in STRUCTURE and self.is_internal(container)
            for container in containers
        )

    def parts_of_others(self, dropped: Collection[ObjectAddress], owned: Collection[ObjectId]) -> list[Dependant]:
        """Return the outermost parts that are not owned; what PostgreSQL makes with an object is none of them."""
        strange = {
            address
            for address in dropped
            if (identity := self.objects[address].identity) not in owned
            and identity.kind in (*STRUCTURE, *OWNED)
            and not self.is_internal(address)
        }
        inner = self.with_parts([part for address in strange for part in self.parts[address]])
        return [
            Dependant(self.objects[address].identity, self.shown(self.top(address, dropped)), blocks=False)
            for address in strange - inner
        ]


def _statements(graph: _Graph, dropped: Collection[ObjectAddress]) -> Iterable[str]:
    """Yield the statements that drop objects, dependent ones first.

    Where only circles are left, the parts that close them are dropped by themselves. A circle without parts, as of a
    base type and its functions, is dropped by CASCADE: everything that depends on its objects is dropped anyway.
    """
    links = [link for link in graph.normal if link.dependent in dropped and link.on in dropped]
    remaining = {address for address in dropped if graph.container(address, dropped) is None}
    tops = {address: graph.top(address, dropped) for link in links for address in (link.dependent, link.on)}
    while remaining:
        between = [link for link in links if tops[link.dependent] != tops[link.on]]
        between = [link for link in between if {tops[link.dependent], tops[link.on]} <= remaining]
        ready = remaining - {tops[link.on] for link in between}
        if ready:
            yield from (graph.objects[address].statement for address in sorted(ready, key=_first_in(graph)))
            remaining -= ready
            continue
        closing = {part for link in _closing(between, tops) if (part := _link_part(graph, link, dropped)) is not None}
        cut = [part for part in sorted(closing) if not _needed(links, graph.with_parts([part]))]
        if cut:
            yield from (graph.objects[address].statement for address in cut)
            within = graph.with_parts(cut)
            links = [link for link in links if link.dependent not in within]
        else:
            first = min(tops[link.on] for link in _closing(between, tops))
            yield f"{graph.objects[first].statement} CASCADE"
            remaining.remove(first)


def _first_in(graph: _Graph) -> Callable[[ObjectAddress], tuple[bool, int, int]]:
    """Return a sort key: event triggers, which see the other statements, come first, and then what is newest."""
    return lambda address: (
        graph.objects[address].identity.kind != "event trigger",
        -address.oid,
        address.catalog,
    )


def _closing(links: list[Dependency], tops: Mapping[ObjectAddress, ObjectAddress]) -> list[Dependency]:
    """Return the dependencies that form circles, without those that only lead to a circle or away from it."""
    while True:
        dependent, needed = {tops[link.dependent] for link in links}, {tops[link.on] for link in links}
        inner = [link for link in links if tops[link.on] in dependent and tops[link.dependent] in needed]
        if len(inner) == len(links):
            return links
        links = inner


def _needed(links: Iterable[Dependency], within: Collection[ObjectAddress]) -> bool:
    """Return whether anything else depends on these objects."""
    return any(link.on in within and link.dependent not in within for link in links)


def _link_part(graph: _Graph, link: Dependency, dropped: Collection[ObjectAddress]) -> ObjectAddress | None:
    """Return the part of an object that can be dropped by itself to end a dependency, None where there is none."""
    address = link.dependent
    while (container := graph.container(address, dropped)) is not None:
        if graph.containers[address][container] != INTERNAL:
            return address
        address = container
    return None
