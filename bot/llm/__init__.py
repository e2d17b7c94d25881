"""The optional language model: proposes an intent, phrases an answer out of passages, and may do nothing else."""

from bot.llm.client import Client, LlmError, Reply
from bot.llm.connecting import connect, know_roster
from bot.llm.model import LanguageModel, Passage, Phrased
from bot.llm.second import SecondOpinion
from bot.llm.usage import Budget, Spent

__all__ = [
    "Budget",
    "Client",
    "LanguageModel",
    "LlmError",
    "Passage",
    "Phrased",
    "Reply",
    "SecondOpinion",
    "Spent",
    "connect",
    "know_roster",
]
