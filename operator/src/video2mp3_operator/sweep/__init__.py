"""④ What goes round instead of a timer for each object. Imports `reconciler` and what is below it."""
