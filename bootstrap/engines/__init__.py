"""Engines as the reconciler changes them."""
