"""Doors of the reporting room: case histories, the board, its exports."""
