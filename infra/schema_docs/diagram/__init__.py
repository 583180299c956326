"""Entity relationship diagrams of a schema: a structure as input, SVG or Mermaid as output; nothing is read or run."""
