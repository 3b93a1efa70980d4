"""⑥⑦ One attempt, from the environment to the exit code; and the command line for people. Imports every other room."""
