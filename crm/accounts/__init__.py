"""Floor 3: employees, roles, connected systems, and who acts."""
