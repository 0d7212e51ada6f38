"""Storage: from files on a disk to a cached table of decoded images."""
