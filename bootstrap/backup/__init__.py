"""``lakehouse backup``: a copy of a whole lakehouse outside of it, and the way back."""
