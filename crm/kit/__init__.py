"""Floor 0: the house's own plumbing, without domain words."""
