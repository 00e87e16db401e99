"""The room's console pages."""
