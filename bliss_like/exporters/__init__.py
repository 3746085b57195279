"""Formats that scans are given away in: each a fold over the events of a scan, live or of the past."""
