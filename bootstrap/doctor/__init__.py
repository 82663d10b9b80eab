"""``lakehouse doctor``: finds the cause of what is wrong, and reports the fix.

Each module judges one part (tools, shell, machine, docker, services, store, catalogs, host names) from values only.
:mod:`.probes` and :mod:`.docker_probes` observe. :mod:`.checks` joins the two and defines the order.
"""
