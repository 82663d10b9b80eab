"""The object store itself: what it can do, measured, and who may use it."""
