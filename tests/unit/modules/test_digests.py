"""The digest of a module's text: every character counts."""

from __future__ import annotations

import hashlib

import pytest

from infra.modules.digests import text_digest


def test_the_digest_is_sha_256_of_the_text_and_says_so() -> None:
    """The digest names its algorithm, and is that of the UTF-8 file, so that `sha256sum` can check it."""
    assert text_digest("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert text_digest("SELECT 'ä€';\n") == "sha256:" + hashlib.sha256(b"SELECT '\xc3\xa4\xe2\x82\xac';\n").hexdigest()


@pytest.mark.parametrize("other", ["SELECT  1;\n", "select 1;\n", "SELECT 1;", "SELECT 1;\n\n", "-- a\nSELECT 1;\n"])
def test_every_character_counts(other: str) -> None:
    """White space, letter case, comments and the last line's end make another digest."""
    assert text_digest(other) != text_digest("SELECT 1;\n")
