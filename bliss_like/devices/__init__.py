"""What hardware looks like to a scan: axes, counters, signals."""
