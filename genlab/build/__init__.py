"""From a config to live objects, and what is refused or advised before the first step."""
