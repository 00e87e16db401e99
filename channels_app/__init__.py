"""Floor 7: conversations by every channel, who attends them, and what is said in them."""
