"""The ledger: tables in each database that record the modules applied to it."""
