"""Pages of the organisations room: branding, settings, units, calendars, sharing agreements."""
