"""③ The ConversionClasses that uploads may choose, and what the one that holds decides for them.

Imports `ports`; knows no SDK and no HTTP.
"""
