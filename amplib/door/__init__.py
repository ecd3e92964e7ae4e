"""For other people's generators: events in, what they are worth out."""
