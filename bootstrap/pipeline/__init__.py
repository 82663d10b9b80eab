"""Plan and apply for a pipeline: the same steps on a runner as on any machine, with ``make pipeline-plan``.

``plan`` checks the sources, finds out what a deploy and the bootstrap would do, and reports it to a reviewer. ``apply``
does exactly that: if the stack, its contents or the file have changed since, it refuses; if it was interrupted, it
continues. ``drift`` checks whether anything differs from the file.
"""
