"""How much of everything a conversion may use: time, memory, disk, cores; and being asked to stop. Imports `ports`."""
