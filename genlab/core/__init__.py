"""The basis that every room may use: types, errors, the spec of the data, randomness, ranks, devices, checkpoints."""
