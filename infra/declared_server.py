"""What the rest of a stack sees of its server, whatever the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pulumi
    import pulumi_postgresql as postgresql

CONNECT_TIMEOUT_SECONDS = 10
CONNECTIONS = 2  # of the postgresql plugin


@dataclass(frozen=True)
class Server:
    """A declared server: how to reach it as admin (outputs, unknown until it exists), and what it says of itself.

    `address` has host, port and, where there are any, further libpq keywords: what every connection to it needs.
    `goes_with_it` is the resource whose end is the end of all that is inside; None where the server is not the stack's.
    `adopted` says that roles and databases are there already.
    """

    address: dict[str, pulumi.Output[Any]]
    user: pulumi.Input[str]
    password: pulumi.Output[str]
    resource: pulumi.Resource
    maintenance_database: pulumi.Input[str]
    goes_with_it: pulumi.Resource | None
    adopted: bool
    provider: postgresql.Provider
    outputs: dict[str, pulumi.Output[Any]]
