"""The event paper's generators: VAEs with a density information buffer, and their rivals."""
