"""Template tags of the reporting room."""
