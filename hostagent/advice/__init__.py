"""(report, plan) -> findings: what blocks the node, with the file and value that prove it."""
