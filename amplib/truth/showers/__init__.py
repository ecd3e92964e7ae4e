"""Electromagnetic showers in a silicon-tungsten calorimeter, from published profiles or Geant4."""
