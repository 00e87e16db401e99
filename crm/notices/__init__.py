"""What an employee should know: news of their cases in the bell, and by e-mail as each person chooses."""
