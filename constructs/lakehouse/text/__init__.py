"""Text from the user on its way into something else: one module for each language that it is written in.

What is written goes through these alone, so text stays text: it never becomes a placeholder, an expression of
Terraform, a section of a configuration file, a word of a shell, a wildcard of a policy or a move of the cursor.
"""
