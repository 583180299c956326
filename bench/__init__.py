"""The benchmarks of docs/performance.md: this program compared in one run with an empty program and with psql."""
