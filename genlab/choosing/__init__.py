"""Choices for a user's own pictures: facts of the files in, words of a command line with reasons out."""
