"""Questions: passages with their sources, found and quoted; what found no answer, kept for officers."""

from actions.knowledge.commands import Ask, NoteQuestion
from actions.knowledge.library import Library
from actions.knowledge.life import Questions
from actions.knowledge.passages import Passage, load_passages
from actions.knowledge.phrasing import Draft, Phraser, drafted, phrased
from actions.knowledge.rules import LIFE, KnowledgeRules
from actions.knowledge.words import load_words

__all__ = [
    "LIFE",
    "Ask",
    "Draft",
    "KnowledgeRules",
    "Library",
    "NoteQuestion",
    "Passage",
    "Phraser",
    "Questions",
    "drafted",
    "load_passages",
    "load_words",
    "phrased",
]
