"""The engine: acquisition chain, scans, groups. Knows `publish(event)`, nothing of Redis, files or plots."""
