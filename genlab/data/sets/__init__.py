"""The data sets that `data=` chooses."""
