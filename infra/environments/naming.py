"""Which stack an environment is: its name follows from what people call it, a branch for example."""

from __future__ import annotations

import hashlib
import re

from infra.errors import InfraError

LONGEST = 40
"""Characters of a stack's name: the names of databases, roles and containers that follow from it stay readable."""
_DIGEST_CHARACTERS = 6
_AS_IT_IS = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


def stack_of_environment(name: str) -> str:
    """Return the stack of an environment: `pr-12` is pr-12, `feature/Login` is feature-login- and a digest.

    Names that differ never have the same stack. Raises InfraError for a name that begins with
    anything but a letter or digit, or cannot be printed.
    """
    slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or not name.isprintable() or not name[0].isalnum():
        raise InfraError(
            "does not begin with a letter or digit",
            place=f"environment {name!r}",
            remedy="name it after its branch or number",
        )
    if _AS_IT_IS.fullmatch(name) and len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{slug[: LONGEST - _DIGEST_CHARACTERS - 1].rstrip('-')}-{digest}"
