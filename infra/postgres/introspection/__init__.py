"""Reading of the live catalog: whole, or the part that a transaction changed."""
