"""Floor 2: organisations, units, calendars, sharing agreements."""
