"""`probe -o table`: the node as a person wants to read it. One module for each topic, all of rich's objects."""

from hostagent.cli.table.page import page

__all__ = ["page"]
