"""How other systems are asked; each is reached through the port only."""
