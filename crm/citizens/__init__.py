"""Floor 5: citizens and what each organisation keeps about them."""
