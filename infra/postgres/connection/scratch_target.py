"""A scratch database as a value: where modules are run to see what they make, and what its names stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target


@dataclass(frozen=True)
class ScratchTarget:
    """A scratch database: the login that runs modules there, and the role as which it runs them.

    The login may do nothing outside of the database. `stands_for` has the names that a scratch database on a shared
    server cannot have, by those that it has instead (written as in SQL). `differences` say in what else it is not like
    the database that it stands for.
    """

    target: Target
    owner: str
    stands_for: Mapping[str, str] = field(default_factory=dict[str, str])
    differences: tuple[str, ...] = ()

    def with_real_names(self, text: str) -> str:
        """Return a definition or a name with the real names of the database and its roles in it."""
        if not self.stands_for:
            return text
        return re.sub(r"\w+", lambda word: self.stands_for.get(word[0], word[0]), text)
