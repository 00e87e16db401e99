"""Floor 1: who did and who saw what."""
