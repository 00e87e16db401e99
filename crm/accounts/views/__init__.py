"""Pages of the accounts room: the door, one's own profile, and who works here with what rights."""
