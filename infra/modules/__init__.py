"""The numbered SQL files, without a server: reading, parsing, what they may contain, and what is done with each."""
