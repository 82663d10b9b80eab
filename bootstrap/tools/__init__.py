"""Configuration of other people's tools for a lakehouse, to paste: `lakehouse endpoints --for TOOL`.

A tool has a module with a function from :class:`~bootstrap.tools.reach.Reach` to text. Keys are never in it.
"""
