"""argv -> one call -> exit status. Commands are modules here, imported only when named."""

from hostagent.cli.entry import main

__all__ = ["main"]
