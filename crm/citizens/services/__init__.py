"""Every change to what is known of citizens, and every opened record."""
