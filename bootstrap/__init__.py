"""The bootstrap: everything that talks to a running lakehouse. facts -> diff -> plan -> apply.

    facts.gather   read what is there               diff.diff    compare, purely
    plan.plan      order the changes, as data       apply.apply  carry them out

:func:`bootstrap.reconciler.reconcile.reconcile` does all four until nothing is left to do.
"""
