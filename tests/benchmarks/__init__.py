"""Measurements: each against the bare cost of the same work, in one run. `python3 boot.py bench`."""
