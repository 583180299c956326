"""`python -m tests.fixture_schema`: the commands of `python -m infra`, with the fixture's models in place of `models`.

After a change of the models: `python -m tests.fixture_schema generate --directory tests/fixture_schema/sql`.
"""

from __future__ import annotations

import sys

from infra.cli import main
from tests.fixture_schema import models

sys.modules["models"] = models
main()
