"""A project: a folder with a lakehouse.yaml that the toolkit, installed once, works on."""
