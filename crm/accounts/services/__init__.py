"""What can be done to accounts: roles given and taken, people invited and suspended, keys made."""
