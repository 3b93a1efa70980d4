"""`make demo`: a release, an account, one video through all nine steps. Imports `images` and what is below it."""
