"""Simulated hardware with physics in it: for demonstrations, tests, and as examples to copy."""
