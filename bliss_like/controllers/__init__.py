"""Devices, one file each: `class:` in YAML names one."""
