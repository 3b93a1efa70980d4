"""What container formats say in their own bytes, where ffmpeg does not tell enough. Pure; trusts no number.

Imports no other room.
"""
