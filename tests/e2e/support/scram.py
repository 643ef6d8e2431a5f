"""SCRAM-SHA-256 without SASLprep: both ends, since the hostile server has to speak it too."""
import base64
import hashlib
import hmac
import os


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b))


class Keys:
    def __init__(self, password: str, salt: bytes, iterations: int):
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
        self.client = mac(salted, "Client Key")
        self.stored = hashlib.sha256(self.client).digest()
        self.server = mac(salted, "Server Key")


def verifier(password: str, iterations: int = 4096) -> str:
    """The form in which PostgreSQL stores a password."""
    salt = os.urandom(16)
    keys = Keys(password, salt, iterations)
    return f"SCRAM-SHA-256${iterations}:{b64(salt)}${b64(keys.stored)}:{b64(keys.server)}"


def attributes(message: str) -> dict:
    return {part[0]: part[2:] for part in message.split(",") if len(part) > 1 and part[1] == "="}


class Client:
    """Client side; the caller carries the messages."""

    def __init__(self, password: str, gs2: str = "n,,"):
        self._password, self._gs2 = password, gs2
        self._first_bare = f"n=,r={b64(os.urandom(18))}"
        self._expected = b""

    def first(self) -> bytes:
        return (self._gs2 + self._first_bare).encode()

    def final(self, server_first: bytes) -> bytes:
        parts = attributes(server_first.decode())
        keys = Keys(self._password, base64.b64decode(parts["s"]), int(parts["i"]))
        without_proof = f"c={b64(self._gs2.encode())},r={parts['r']}"
        signed = f"{self._first_bare},{server_first.decode()},{without_proof}"
        self._expected = mac(keys.server, signed)
        return f"{without_proof},p={b64(xor(keys.client, mac(keys.stored, signed)))}".encode()

    def verify(self, server_final: bytes):
        assert base64.b64decode(attributes(server_final.decode())["v"]) == self._expected, "server signature is wrong"


class Server:
    """Server side for one known password; `final` also tells whether the proof was right."""

    def __init__(self, password: str, iterations: int = 4096, salt: bytes = b"0123456789abcdef"):
        self._keys = Keys(password, salt, min(iterations, 4096))
        self._iterations, self._salt = iterations, salt
        self._client_first_bare = self._first = ""

    def first(self, client_first: bytes) -> bytes:
        self._client_first_bare = client_first.decode().split(",", 2)[2]
        nonce = attributes(self._client_first_bare)["r"]
        self._first = f"r={nonce}{b64(os.urandom(12))},s={b64(self._salt)},i={self._iterations}"
        return self._first.encode()

    def final(self, client_final: bytes) -> tuple[bool, bytes]:
        without_proof, proof = client_final.decode().rsplit(",p=", 1)
        signed = f"{self._client_first_bare},{self._first},{without_proof}"
        client_key = xor(base64.b64decode(proof), mac(self._keys.stored, signed))
        right = hashlib.sha256(client_key).digest() == self._keys.stored
        return right, f"v={b64(mac(self._keys.server, signed))}".encode()
