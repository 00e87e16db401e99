"""Campaigns: messages of an organisation to many citizens who want them, each sent once at most."""
