"""``lakehouse run``: a job of the user's, on the stack's Spark."""
