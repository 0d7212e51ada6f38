"""Reports: one self-contained HTML page about one run or many, written from the files in their directories."""
