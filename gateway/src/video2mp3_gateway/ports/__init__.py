"""The systems outside as the gateway needs them, and what they have in common. Imports no other room."""
