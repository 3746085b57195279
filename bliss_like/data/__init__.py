"""The wire: events, nodes and walkers. Importable anywhere; needs numpy, and redis to reach a server."""
