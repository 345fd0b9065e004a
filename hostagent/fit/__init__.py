"""(report, request) -> can this node run it, and if not, why not."""
