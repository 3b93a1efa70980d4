"""⑨ What of an mp3 is asked for. Imports no other room."""
