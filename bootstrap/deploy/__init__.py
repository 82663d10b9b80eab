"""Deploys, compares and destroys a stack with cdktf, and shows what happens."""
