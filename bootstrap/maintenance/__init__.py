"""Keeping tables fast and small: their metrics, and the work on them (plan, run)."""
