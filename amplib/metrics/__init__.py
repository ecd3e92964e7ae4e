"""From events, or the contents of cells, to a number with its error."""
