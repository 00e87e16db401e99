"""Floor 4: other systems take part: those that are asked, and those that are told."""
