"""``lakehouse doctor``: looks for the cause of what is wrong, and says the fix.

Each module decides about one part (tools, shell, machine, docker, services, store, catalogs, host names) from values
alone; :mod:`.probes` and :mod:`.docker_probes` observe; :mod:`.checks` joins the two and says what must be right first.
"""
