"""Pages of the cases room: parse, call, render."""
