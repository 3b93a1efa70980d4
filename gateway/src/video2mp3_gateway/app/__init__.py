"""The process: settings in, a wired Flask application out; and the command line. Imports every other room."""
