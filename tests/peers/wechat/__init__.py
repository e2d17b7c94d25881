"""The HTTP side of 企业微信 and 微信公众号, as far as the assistant uses it, after the platforms' public documents."""

from tests.peers.wechat.platform import AES_KEY, APP, SECRET, TOKEN, Platform, Refusal, Sent

__all__ = ["AES_KEY", "APP", "SECRET", "TOKEN", "Platform", "Refusal", "Sent"]
