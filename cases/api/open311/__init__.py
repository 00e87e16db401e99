"""Open311 GeoReport v2: what neighbours report through other applications, read and written.

The standard has its own words, errors and formats (JSON and XML), so its addresses stand beside the API.
"""
