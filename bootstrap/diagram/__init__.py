"""``lakehouse diagram``: a stack as Mermaid or DOT: its services, catalogs, tables and buckets, and who uses what.

``local`` and ``aws`` make a :class:`~bootstrap.diagram.picture.Picture`, with the file's part of it from ``contents``;
``mermaid`` and ``dot`` write it down. All of them are pure.
"""
