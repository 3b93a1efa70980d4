"""The Conversion as people and machines see it: its models, rules, words and definition.

Imports `messaging`, and of what is outside pydantic, and yaml for the definition.
"""
