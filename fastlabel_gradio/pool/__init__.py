"""The pool: items and vectors on disk, filled in the background, what is said of them, and what a head says of all rows."""
