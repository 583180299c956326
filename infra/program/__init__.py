"""The declaration of a stack, from its settings to its outputs."""
