"""``lakehouse access log``: who did what, by the records that the layers of a local stack keep by themselves.

Each module reads one layer behind :class:`.event.Reader`; :mod:`.readers` knows which a stack has, and :mod:`.recent`
joins what they say.
"""
