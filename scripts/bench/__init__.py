"""Benchmarks: each prints our figure beside a limit or a peer taken in the same run."""
