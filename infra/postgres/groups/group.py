"""A group as a value: its server, the names of its roles, and the session for the modules of each of its databases."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from infra.modules.template_name import group_mark
from infra.postgres.access import Access
from infra.postgres.groups.passwords import derived_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

_LOGINS = {"migrator": "owner", "app": "", "readonly": ""}
"""The login roles of every database, each with the role from which it inherits."""


@dataclass(frozen=True)
class GroupSpec:
    """A group of databases.

    `template` is the session of the administrator in the maintenance database. The roles are named after the group
    where it is `shared`, after each database otherwise; their passwords are derived from `key`. `further` are login
    roles beside the usual ones, with the role from which each inherits. At most `connections` are open at once.
    """

    name: str
    template: Session
    key: str
    shared: bool = False
    connections: int = 8
    further: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def admin(self) -> Target:
        """The administrator's login in the maintenance database."""
        return self.template.admin

    @property
    def logins(self) -> dict[str, str]:
        """The login roles of a database, each with the role from which it inherits, or ''."""
        return {**_LOGINS, **self.further}

    @property
    def mark(self) -> str:
        """The comment by which roles and databases are known as this group's."""
        return group_mark(self.name, self.template.stack)

    def role(self, database: str, role: str) -> str:
        """Return the name of one of a database's roles (`owner`, `migrator`, `app`, `readonly`)."""
        return f"{self.name if self.shared else database}_{role}"

    def password(self, role: str) -> str:
        """Return the password of a role, by its name."""
        return derived_password(self.key, role)

    def access(self, database: str) -> Access:
        """Return who may do what in a database."""
        usual = (self.role(database, role) for role in ("owner", "app", "readonly", "migrator"))
        further = {self.role(database, role): self.role(database, other) for role, other in self.further.items()}
        return Access(
            *usual, further=further, private_schemas=self.template.private_schemas, allowed=self.template.allowed
        )

    def target(self, database: str) -> Target:
        """Return a database with the login that runs its modules."""
        migrator = self.role(database, "migrator")
        return self.admin.on(database).login(migrator, self.password(migrator))

    def session(self, database: str, tell: Callable[[str], None]) -> Session:
        """Return the session for a database's modules; `tell` receives messages, which name the database."""

        def tell_of_database(text: str) -> None:
            tell(f"{database}: {text}")

        return replace(
            self.template,
            target=self.target(database),
            admin=self.admin.on(database),
            owner=self.role(database, "owner"),
            roles=tuple(self.role(database, role) for role in ("app", "readonly", *self.further)),
            one_of_many=True,
            tell=tell_of_database,
        )
