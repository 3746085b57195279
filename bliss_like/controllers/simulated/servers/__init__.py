"""Simulated instruments behind real sockets: processes to start, to try drivers on without hardware."""
