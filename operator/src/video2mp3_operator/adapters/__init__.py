"""The real systems behind the ports. Each SDK is imported in its adapter and nowhere else."""
