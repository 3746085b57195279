"""Where BLISS has its names: `from bliss.common...` becomes `from bliss_like.common...`, and nothing else changes.

Nothing lives here: each module points to where its names are at home.
"""
