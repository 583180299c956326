"""The documents that the tests of this folder render: those of the small schema in tests/fixture_schema."""

from __future__ import annotations

import pytest

from infra.schema_docs.schema_files import build_schema, diagram_files, document_files
from tests.browser.expected import Documents
from tests.fixture_schema import SQL, shop

PICTURES = ("schema", *shop().modules)


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return the documents of the small schema."""
    folder = tmp_path_factory.mktemp("documents")
    schema = build_schema(SQL)
    files = diagram_files(schema) | document_files(schema, shop().models, output=folder)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Documents(folder, shop().modules, shop().metadata, ("addresses", "customer_id", "customers", "id"))


@pytest.fixture(params=PICTURES)
def picture(request: pytest.FixtureRequest) -> str:
    """Return the name of a picture: the whole schema, and each module that creates tables."""
    return str(request.param)
