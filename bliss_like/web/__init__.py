"""Past and running scans over the network: listeners that answer to other programs."""
