"""Rules for this project's infrastructure, and the scan that checks every synthesised stack."""
