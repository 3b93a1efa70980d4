"""Steps that show what they do and how long they took, and where their files are. Imports no other room."""
