"""A package, so that its `package` fixtures end with it.

Without this file pytest would hold them for the whole session, and Playwright's event loop would
look as if it ran around every test that this process takes afterwards.
"""
