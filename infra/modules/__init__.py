"""What a numbered SQL file is, without a server: reading, parsing, order, lint, decisions, generation."""
