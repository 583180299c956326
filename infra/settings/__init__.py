"""A stack's settings: their values, the model with every default, and the loader that reads them from Pulumi."""
