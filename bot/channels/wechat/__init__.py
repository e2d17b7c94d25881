"""What 企业微信 and 微信公众号 share: signed and encrypted callbacks, access tokens, calls and their error codes."""
