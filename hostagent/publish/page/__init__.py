"""The node page: one report as one HTML page, for people."""

from hostagent.publish.page.document import POLICY, noted, page

__all__ = ["POLICY", "noted", "page"]
