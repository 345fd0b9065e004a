"""(reports, profile) -> what the nodes are to become: one truth for advice and renderers."""

from hostagent.plan.making import NodesError, plan, planned
from hostagent.plan.model import Plan, ready

__all__ = ["NodesError", "Plan", "plan", "planned", "ready"]
