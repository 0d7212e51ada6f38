"""The menu: one YAML a choice."""
