"""Reporting: sealed case histories and their verification; read-only towards all other rooms."""
