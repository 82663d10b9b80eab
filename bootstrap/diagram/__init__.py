"""``lakehouse diagram``: a stack as a picture, from its own synthesised JSON.

``aws`` and ``local`` turn the JSON into a :class:`~bootstrap.diagram.picture.Picture`; ``layout`` gives its boxes
places, ``route`` finds the ways of its arrows around them, and ``svg`` writes it down. All of them are pure.
"""
