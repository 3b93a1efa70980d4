"""What every answer has in common: errors as problem+json, limits on what runs at a time, and what is counted.

Imports `ports`.
"""
