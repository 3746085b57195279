"""Where BLISS has its dialogs: `from bliss.shell.cli...` becomes `from bliss_like.shell.cli...`."""
