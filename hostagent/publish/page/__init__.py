"""The node page: one report as one HTML page, for people."""

from hostagent.publish.page.document import POLICY, page

__all__ = ["POLICY", "page"]
