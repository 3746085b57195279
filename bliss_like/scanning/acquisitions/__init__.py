"""Acquisition objects of the standard scans: timer, counters, axes that step."""
