"""One self-contained HTML page about one or many runs, made from the files in their directories alone."""
