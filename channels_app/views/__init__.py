"""Doors of the channels room: the visitor's chat, the employees' desk, the wallboard."""
