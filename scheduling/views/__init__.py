"""Pages of appointments: for citizens, for employees at the telephone and the desk, for who sets them up."""
