"""The object store itself: its buckets, their marks and rules, and its users."""
