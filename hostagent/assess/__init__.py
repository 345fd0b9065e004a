"""report -> assessment: what every function and group is to a guest. Judged once; every reader says the same."""

from hostagent.assess.assessing import assess, judged
from hostagent.assess.model import (
    ASSIGNABLE,
    WORDS,
    Assessment,
    FunctionAssessment,
    GroupAssessment,
    State,
    Unseen,
)

__all__ = [
    "ASSIGNABLE",
    "WORDS",
    "Assessment",
    "FunctionAssessment",
    "GroupAssessment",
    "State",
    "Unseen",
    "assess",
    "judged",
]
