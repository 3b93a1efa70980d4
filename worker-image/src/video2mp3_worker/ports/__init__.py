"""The systems outside as the worker needs them, and how a conversion can end. Imports no other room."""
