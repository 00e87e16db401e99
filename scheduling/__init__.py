"""Appointments (floor 8): offices, what is attended there, free times, booking by citizens and employees."""
