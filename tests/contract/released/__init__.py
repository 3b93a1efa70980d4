"""What earlier releases let in is let in, and kept, by this one."""
