"""The lakehouse in AWS: one module per part, composed by ``stacks/aws.py``."""
