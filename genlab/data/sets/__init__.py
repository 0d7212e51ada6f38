"""Data sets: those that `data=` chooses."""
