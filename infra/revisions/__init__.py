"""The commands for revisions: writing one, proving it, and Alembic typed by hand."""
