"""Devices that exist for the tests of the configuration: plain Python, no hardware, no simulation of any."""
