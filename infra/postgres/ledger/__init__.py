"""The ledger: what a database remembers of the modules that were applied to it."""
