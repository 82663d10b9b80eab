"""What this project asks of its infrastructure, and the scan that holds every synthesised stack to it."""
