"""The way on where the data of a persistent stack are gone."""

from __future__ import annotations

BEGIN_EMPTY = (
    "put a copy of the data back; or, to begin with an empty database, set lifecycle: ephemeral, run `up`, set it "
    "back, and restore a backup"
)
"""What to do where the data of a persistent stack are gone."""
