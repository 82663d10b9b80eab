"""Deploys, compares and destroys a stack with Terraform, and shows what happens."""
