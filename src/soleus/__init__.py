"""Soleus assesses calf pain when walking: likely causes, urgency and what to do, with the evidence.

    >>> import soleus
    >>> case = soleus.read_case({"age": 67, "sex": "female", "answers": {"smoking_status": "current"}})
    >>> soleus.assess(case).urgency
    'routine'

Names are loaded when first used, so that `import soleus` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from soleus.assessment.assess import assess
    from soleus.assessment.result import Assessment
    from soleus.errors import InputError, KnowledgeError, SoleusError
    from soleus.interview.session import Interview
    from soleus.knowledge.case import Case
    from soleus.knowledge.load import Knowledge, load_knowledge

_PLACES = {
    "assess": "soleus.assessment.assess",
    "Assessment": "soleus.assessment.result",
    "Interview": "soleus.interview.session",
    "Case": "soleus.knowledge.case",
    "Knowledge": "soleus.knowledge.load",
    "load_knowledge": "soleus.knowledge.load",
    "SoleusError": "soleus.errors",
    "InputError": "soleus.errors",
    "KnowledgeError": "soleus.errors",
}

__all__ = [
    "Assessment",
    "Case",
    "InputError",
    "Interview",
    "Knowledge",
    "KnowledgeError",
    "SoleusError",
    "__version__",
    "assess",
    "load_knowledge",
    "read_case",
]


def read_case(raw: Any, name: str = "case") -> Case:
    """The case that `raw` (a mapping of age, sex and answers) describes, against the bundled knowledge.

    Raises InputError with one message for each fault.
    """
    from soleus.knowledge.case import parse_case
    from soleus.knowledge.load import load_knowledge

    return parse_case(raw, load_knowledge(), name)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'soleus' has no attribute {name!r}")
