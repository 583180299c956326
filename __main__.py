"""The Pulumi program: read the stack's settings, declare the stack."""

from infra.sdk_tuning import collect_none

collect_none()

from infra.program.run import run  # noqa: E402 (imports are what makes most of what would be looked through)

run()
