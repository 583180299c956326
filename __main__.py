"""The Pulumi program: declare the stack that its settings describe."""

from infra.sdk_tuning import disable_garbage_collection

disable_garbage_collection()

from infra.program.run import run  # noqa: E402 (the imports create most of what would be collected)

run()
