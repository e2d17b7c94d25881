"""Callbacks of 企业微信 and 微信公众号: signed (SHA-1), encrypted (AES-256-CBC), in XML. Pure.

https://developer.work.weixin.qq.com/document/path/90968
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from actions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of a callback; the longest message of the platforms is a few kilobytes.
MAX_BYTES = 64 * 1024
#: The platforms' padding: PKCS#7 to blocks of 32 bytes, whatever AES itself needs.
_BLOCK = 32
_RANDOM, _LENGTH = 16, 4
#: Seconds by which a callback's time may differ from ours.
_WINDOW = 600
#: Seconds in which the platform may send the very same request again: it tries three times, five seconds apart.
_AGAIN = 60
_REMEMBERED = 20_000
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RefusedError(Exception):
    """A callback that is not taken in. `reason` is one word for counting; it holds nothing of what came."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What a callback's address says; all of it is the caller's word until the signature has been checked."""

    signature: str = ""
    timestamp: str = ""
    nonce: str = ""
    echo: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Query:
        """From the parameters of an address."""
        signature, timestamp, nonce = (given.get(name, "")[:200] for name in ("msg_signature", "timestamp", "nonce"))
        return cls(signature=signature, timestamp=timestamp, nonce=nonce, echo=given.get("echostr", "")[:MAX_BYTES])


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Opens and seals what goes between the platform and one receiver."""

    token: str = field(repr=False)
    key: bytes = field(repr=False)
    receiver: str

    @classmethod
    def of(cls, token: str, encoding_aes_key: str, receiver: str) -> Envelope:
        """As the platform's pages give them.

        Args:
            token: the word that both sides sign with.
            encoding_aes_key: 43 characters of base64.
            receiver: the corpid or appid.

        Raises:
            ConfigurationError: for a key of another shape, without repeating it.

        """
        try:
            key = base64.b64decode(encoding_aes_key + "=", validate=True)
        except ValueError:
            key = b""
        if len(key) != 32 or not token or not receiver:
            message = "the callback needs its token, an EncodingAESKey of 43 characters and the receiver's id"
            raise ConfigurationError(message)
        return cls(token=token, key=key, receiver=receiver)

    def signature(self, timestamp: str, nonce: str, *rest: str) -> str:
        """SHA-1 of the sorted parts, as 40 hexadecimal digits. The platforms ask for SHA-1."""
        parts = sorted((self.token, timestamp, nonce, *rest))
        return hashlib.sha1("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324

    def verify(self, given: str, timestamp: str, nonce: str, *rest: str) -> None:
        """Compares in constant time. Raises RefusedError."""
        expected = self.signature(timestamp, nonce, *rest)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
            raise RefusedError("signature")

    def seal(self, text: str, random: bytes | None = None) -> str:
        """Encrypts a text. `random` are 16 bytes, fresh ones where none are given."""
        plain = text.encode()
        whole = (random or os.urandom(_RANDOM)) + len(plain).to_bytes(_LENGTH, "big") + plain + self.receiver.encode()
        padding = _BLOCK - len(whole) % _BLOCK
        worker = Cipher(AES256(self.key), CBC(self.key[:16])).encryptor()
        sealed = worker.update(whole + bytes([padding]) * padding) + worker.finalize()
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str) -> str:
        """The text again. Raises RefusedError for anything that this receiver's key did not seal."""
        try:
            raw = base64.b64decode(sealed, validate=True)
        except ValueError as error:
            raise RefusedError("cipher") from error
        if not raw or len(raw) % 16 or len(raw) > MAX_BYTES:
            raise RefusedError("cipher")
        worker = Cipher(AES256(self.key), CBC(self.key[:16])).decryptor()
        return self._read(worker.update(raw) + worker.finalize())

    def _read(self, padded: bytes) -> str:
        padding = padded[-1]
        if not 1 <= padding <= _BLOCK or padded[-padding:] != bytes([padding]) * padding:
            raise RefusedError("cipher")
        whole = padded[:-padding]
        begin = _RANDOM + _LENGTH
        end = begin + int.from_bytes(whole[_RANDOM:begin], "big")
        if len(whole) < begin or end > len(whole):
            raise RefusedError("cipher")
        if not hmac.compare_digest(whole[end:], self.receiver.encode()):
            raise RefusedError("receiver")
        try:
            return whole[begin:end].decode()
        except UnicodeDecodeError as error:
            raise RefusedError("cipher") from error

    def answer(self, text: str, timestamp: str, nonce: str) -> str:
        """A text as the encrypted and signed XML of an answer."""
        sealed = self.seal(text)
        signed = self.signature(timestamp, nonce, sealed)
        return xml_of({"Encrypt": sealed, "MsgSignature": signed, "TimeStamp": timestamp, "Nonce": nonce})


class Callbacks:
    """Opens the callbacks of one receiver, each within its time; the same one again only while the platform tries."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self._seen: dict[str, float] = {}

    def echo(self, query: Query, now: float) -> str:
        """What the platform wants to read when the address is registered. Raises RefusedError."""
        self._verify(query, query.echo, now)
        return self.envelope.open(query.echo)

    def opened(self, query: Query, body: bytes, now: float) -> dict[str, str]:
        """What a callback says, by tag; `now` are seconds since 1970. Raises RefusedError."""
        sealed = fields_of(body).get("Encrypt", "")
        self._verify(query, sealed, now)
        return fields_of(self.envelope.open(sealed).encode())

    def _verify(self, query: Query, sealed: str, now: float) -> None:
        self.envelope.verify(query.signature, query.timestamp, query.nonce, sealed)
        # The pattern keeps out what int() would take beside digits, and numbers without end.
        if not re.fullmatch(r"[0-9]{1,12}", query.timestamp) or abs(now - int(query.timestamp)) > _WINDOW:
            raise RefusedError("stale")
        if now - self._seen.setdefault(f"{query.timestamp}:{query.nonce}:{query.signature}", now) > _AGAIN:
            raise RefusedError("replayed")
        if len(self._seen) > _REMEMBERED:
            self._forget(now)

    def _forget(self, now: float) -> None:
        # What is older than both sides of the window is refused by its time.
        self._seen = {name: at for name, at in self._seen.items() if now - at <= 2 * _WINDOW}


def fields_of(body: bytes) -> dict[str, str]:
    """The texts of an XML message by tag, those of nested tags after their own names; no entity is ever resolved.

    Raises RefusedError for what is too long, no XML, or has a document type.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("size")
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise RefusedError("xml") from error
    found: dict[str, str] = {}
    for element in root.iter():
        if element is not root:
            found.setdefault(element.tag, (element.text or "").strip())
    return found


def xml_of(fields: Mapping[str, str]) -> str:
    """A message as the platforms read it; characters that XML does not know are left out."""
    root = Element("xml")
    for name, value in fields.items():
        SubElement(root, name).text = _NOT_XML.sub("", value)
    return tostring(root, encoding="unicode")
