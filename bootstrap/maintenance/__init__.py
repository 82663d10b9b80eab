"""Keeping tables fast and small: what they are made of (metrics), and what is done about it (plan, run)."""
