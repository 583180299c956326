"""An import of something that is not installed."""

import no_such_package  # type: ignore[import-not-found] # pyright: ignore[reportMissingImports] # noqa: F401
