"""The first level of a conversation: a machine that says so, answers from articles, and hands over."""
