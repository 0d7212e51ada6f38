"""From the words of a command line to a config, and back in one message."""
