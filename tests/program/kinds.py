"""Which test of the lifecycle runs on which kind of server; what a kind is left out of has a reason here.

A test whose module is marked `every_kind` runs on the embedded server and, with FULL=1 in the environment, as in
.ci/run, on several kinds: those of OFTEN on all, the others on those of IN_FULL.
"""

from __future__ import annotations

import os

EMBEDDED, DOCKER, SUPERUSER, PLAIN = "embedded", "docker", "external-superuser", "external-plain"
KINDS = (EMBEDDED, DOCKER, SUPERUSER, PLAIN)
EXTERNALS = (SUPERUSER, PLAIN)
IN_FULL = (EMBEDDED, DOCKER, PLAIN)
"""With FULL=1. A superuser may do all that a plain administrator may; test_external.py has tests of it."""

ASKS_NO_SERVER = "it ends before a server of any kind is asked"
NOT_OURS = "the stack neither starts, stops nor configures a server that is not its own"

# test -> kinds that it does not run on -> why
NOT_ON: dict[str, dict[tuple[str, ...], str]] = {
    "test_six_wrong_settings_are_six_lines_of_one_message": {(DOCKER, *EXTERNALS): ASKS_NO_SERVER},
    "test_bad_files_are_all_named_before_anything_is_declared": {(DOCKER, *EXTERNALS): ASKS_NO_SERVER},
    "test_a_wrong_server_setting_is_refused_before_the_server_is_made": {
        (DOCKER,): "test_docker.py: test_what_could_not_work_is_a_sentence_at_preview, with the image's own words",
        EXTERNALS: NOT_OURS,
    },
    "test_a_taken_port_is_refused_in_one_sentence": {
        (DOCKER,): "test_docker.py: test_a_taken_port_is_a_sentence_at_preview",
        EXTERNALS: NOT_OURS,
    },
    "test_retained_data_is_adopted_with_roles_databases_and_modules": {
        (DOCKER,): "test_docker.py: test_a_retained_volume_is_adopted_and_never_taken_over_silently",
        EXTERNALS: "there is no retained data of the stack's on it",
    },
    "test_a_read_only_server_is_said_so": {
        EXTERNALS: "it is refused before anything: tests/database/server/test_external.py",
    },
    "test_a_preview_does_not_wait_for_a_server_that_does_not_answer": {
        EXTERNALS: "it has to answer, else the run is refused: tests/database/server/test_external.py",
    },
    "test_destroy_works_when_the_server_was_killed_before": {
        EXTERNALS: "databases and roles are dropped by logging in: the server has to be there",
    },
    "test_up_brings_a_killed_server_back_and_changes_nothing_else": {EXTERNALS: NOT_OURS},
    "test_refresh_brings_a_killed_server_back": {EXTERNALS: NOT_OURS},
    "test_a_changed_server_setting_is_applied_and_the_preview_says_how": {
        (DOCKER,): "test_docker.py: test_changed_settings_and_a_newer_minor_version_keep_the_data",
        EXTERNALS: NOT_OURS,
    },
    "test_two_stacks_live_side_by_side": {
        EXTERNALS: "test_external.py: test_stacks_of_every_kind_share_a_server",
    },
    "test_the_server_listens_on_loopback_alone": {EXTERNALS: NOT_OURS},
}

OFTEN = frozenset(  # what every kind has to do, whatever else
    {
        "test_every_database_is_complete_and_owned_by_its_owner_role",
        "test_a_second_up_changes_nothing",
        "test_destroy_leaves_no_process_port_folder_file_or_resource",
    }
)


def left_out(test: str) -> set[str]:
    """Return the kinds that a test does not run on."""
    return {kind for kinds in NOT_ON.get(test, {}) for kind in kinds}


def kinds_of(test: str) -> list[str]:
    """Return the kinds that a test of the lifecycle runs on."""
    chosen = (EMBEDDED,) if not os.environ.get("FULL") else KINDS if test in OFTEN else IN_FULL
    return [kind for kind in chosen if kind not in left_out(test)]
