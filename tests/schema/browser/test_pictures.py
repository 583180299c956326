"""The committed pictures hold to the same claims as those of the small schema in tests/browser."""

from __future__ import annotations

from tests.browser.test_pictures import (
    test_every_foreign_key_is_a_line_between_the_right_columns,
    test_every_table_column_and_type_is_shown,
    test_nothing_overlaps_and_no_text_leaves_its_box,
    test_text_is_readable_in_light_and_dark,
)

pytest_plugins = ["tests.browser.chromium"]

__all__ = [
    "test_every_foreign_key_is_a_line_between_the_right_columns",
    "test_every_table_column_and_type_is_shown",
    "test_nothing_overlaps_and_no_text_leaves_its_box",
    "test_text_is_readable_in_light_and_dark",
]
