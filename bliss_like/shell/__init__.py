"""The prompt, and the command `bliss-like`: the only package that talks to a terminal."""
