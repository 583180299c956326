"""The Pulumi program: read the stack's settings, declare the stack."""

from infra.sdk_tuning import disable_garbage_collection

disable_garbage_collection()

from infra.program.run import run  # noqa: E402 (imports are what makes most of what would be looked through)

run()
