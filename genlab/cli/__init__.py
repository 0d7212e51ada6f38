"""Command line: from its words to a config and a run, and from a mistake to one message."""
