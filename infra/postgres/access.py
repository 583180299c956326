"""The roles of a database, and what each of them is to have there."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Access:
    """The roles of a database: who owns what is in it, who writes rows (app), who reads them (readonly), who migrates.

    The migrator is a member of the owner, each `further` role of the one that it inherits from. App and readonly may
    use no `private_schemas`. What other roles have that matches `allowed` (`privileges * to reporting`) is left alone,
    as are settings and attributes of any role and of the database (`setting work_mem of *`), and the `attributes` that
    are declared elsewhere, by the name of the role, or by `database x`.
    """

    owner: str
    app: str
    readonly: str
    migrator: str
    further: Mapping[str, str] = field(default_factory=dict[str, str])
    private_schemas: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the query for what roles have, but for the database."""
        return {
            "owner": self.owner,
            "roles": [self.owner, self.app, self.readonly, self.migrator],
            "schemas": ["public", *self.private_schemas],
        }

    @property
    def memberships(self) -> dict[str, str]:
        """The roles of which the logins are members, by the logins."""
        return {self.migrator: self.owner, **self.further}

    def privileges(self) -> dict[tuple[str, str], str]:
        """Return what each role is to have, by place and grantee, as `privileges_of` returns it."""
        return {
            ("database", self.app): "CONNECT, TEMPORARY",
            ("database", self.readonly): "CONNECT",
            ("schema public", self.owner): "CREATE, USAGE",
            ("schema public", self.app): "USAGE",
            ("schema public", self.readonly): "USAGE",
            ("future tables", self.app): "DELETE, INSERT, SELECT, UPDATE",
            ("future tables", self.readonly): "SELECT",
            ("future sequences", self.app): "SELECT, USAGE",
            ("future schemas", self.app): "USAGE",
            ("future schemas", self.readonly): "USAGE",
            **{(f"role {role}", member): "MEMBER" for member, role in self.memberships.items()},
        }
