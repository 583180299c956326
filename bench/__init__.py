"""Measures what docs/performance.md reports: this program beside an empty one, and beside psql, in one run."""
