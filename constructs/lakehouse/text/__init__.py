"""Escaping of the user's text for other languages: one module for each language.

Only these modules write such text, so that it stays text: it never becomes a placeholder, an expression of
Terraform, a section of a configuration file, a word of a shell, a wildcard of a policy or a move of the cursor.
"""
