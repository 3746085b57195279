"""Pseudo axes: slits, energy, table, and others that are calculated from real axes."""
