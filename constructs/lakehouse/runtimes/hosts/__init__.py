"""Services as systemd units on machines that are reached by SSH. Ansible installs them."""
