"""How ffmpeg, ffprobe and the encoder are confined: the launcher. Imports nothing of ours, and little else."""
