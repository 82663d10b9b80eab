"""``lakehouse diagram``: a stack as Mermaid or DOT, with its services, catalogs, tables and buckets and their uses.

``local`` and ``aws`` make a :class:`~bootstrap.diagram.picture.Picture`; ``contents`` adds what the file describes;
``mermaid`` and ``dot`` render it. All of them are pure.
"""
