"""What the lakehouse does by itself at certain times: the tasks, their runs, and who is told."""
