"""The ground that every room may use: types, errors, the data's spec, randomness, ranks, devices and checkpoints."""
