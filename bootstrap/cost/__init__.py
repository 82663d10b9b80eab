"""``lakehouse cost``: what a stack in AWS costs a month, from its own synthesised JSON and a dated table of prices."""
