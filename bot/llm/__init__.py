"""The optional language model: proposes an intent, phrases an answer out of passages, and may do nothing else."""

from bot.llm.client import Client, LlmError, Reply
from bot.llm.model import LanguageModel, Passage
from bot.llm.usage import Budget, Spent

__all__ = ["Budget", "Client", "LanguageModel", "LlmError", "Passage", "Reply", "Spent"]
