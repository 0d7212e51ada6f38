"""From files on a disk to a table of decoded images."""
