"""Pictures of a schema: tables as boxes with their columns, foreign keys as lines; values in, SVG or Mermaid out."""
