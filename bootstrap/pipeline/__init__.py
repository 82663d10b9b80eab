"""Plan and apply as a pipeline runs them: the same steps on a runner as on any machine, by ``make pipeline-plan``.

``plan`` checks the sources, looks what a deploy and the bootstrap would do, and says so for a reviewer. ``apply`` does
exactly that and nothing else: where the stack, its contents or the file changed since, it refuses; where it was
interrupted, it goes on. ``drift`` looks whether anything differs from what the file says.
"""
