"""The lakehouse in AWS: one module per part, composed by ``stacks/aws.py`` and ``stacks/aws_engines.py``."""
