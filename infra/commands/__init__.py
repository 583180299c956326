"""The commands of `python -m infra`."""
