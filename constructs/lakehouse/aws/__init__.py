"""The lakehouse in AWS: one module a part, composed by ``stacks/aws.py``.

``names`` and ``policy`` are pure and import no CDK: the bootstrap uses them too.
"""
