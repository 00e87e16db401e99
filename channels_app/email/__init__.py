"""E-mail: a letter comes in, becomes a conversation and a case, and is answered in its thread."""
