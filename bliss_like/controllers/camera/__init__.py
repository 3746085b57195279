"""2D detectors: what all cameras have in common is in `camera`, and what a driver has to say of its own."""
