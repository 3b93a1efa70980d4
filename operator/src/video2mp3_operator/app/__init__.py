"""④ The process: where kopf comes in, the work queue, the wiring, and the commands. Imports every other room."""
