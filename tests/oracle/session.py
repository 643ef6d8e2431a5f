"""What a client sends, and what comes back: the same bytes are played to PostgreSQL and to pgsluice."""
import random
import re
import struct
import time
from dataclasses import dataclass, field

from support import messages as m
from support.wire import Closed, WireClient

# Everything that a whole session takes; nothing in here sleeps for longer than a statement's millisecond.
PATIENCE = 8.0
# Table and type OIDs from here on were handed out while the test ran.
FIRST_NORMAL_OID = 16384


@dataclass(frozen=True)
class Step:
    """Bytes, and the ReadyForQuery that they bring; None where that depends on what the server thinks of them."""
    data: bytes
    ready: int | None = 1
    words: str = ""


@dataclass
class Session:
    name: str
    steps: list
    parameters: dict = field(default_factory=dict)
    # How it is sent: all at once, step by step behind each answer, cut anywhere (a seed), or byte by byte.
    pace: str = "steps"
    seed: int = 0
    is_ended: bool = False  # by its last step

    @property
    def says_good_bye(self) -> bool:
        return self.is_ended and self.steps[-1].data == m.TERMINATE

    def without(self, index: int) -> "Session":
        return Session(self.name, self.steps[:index] + self.steps[index + 1:], self.parameters, self.pace, self.seed, self.is_ended and index < len(self.steps) - 1)

    def __str__(self):
        return "\n".join([f"{self.name}, {self.pace}, {self.parameters}", *(f"  {step.words or step.data!r}" for step in self.steps)])


@dataclass(frozen=True)
class Transcript:
    messages: list
    fate: str  # closed, silent, refused

    def __str__(self):
        return "\n".join(f"  {text}" for text in (*map(shown, self.messages), self.fate))


def play(address, database: str, session: Session, user: str = "app") -> Transcript:
    """The session ends with a probe, so that a connection that has lost its place shows it, and with Terminate."""
    try:
        client = WireClient(address, timeout=PATIENCE)
    except OSError:
        return Transcript([], "refused")
    with client:
        seen = client.start(user, database, f"{user}-secret", **session.parameters)
        if seen[-1].tag != "Z":
            return Transcript(seen, "closed")
        seen = [message for message in seen if message.tag in "SN"]
        try:
            send(client, session, seen)
        except (Closed, TimeoutError):
            pass  # what came before it can still be read
        try:
            while True:
                seen.append(client.receive())
        except Closed:
            return Transcript(seen, "closed")
        except TimeoutError:
            return Transcript(seen, "silent")


def send(client: WireClient, session: Session, seen: list) -> None:
    """What is read meanwhile is added to what was seen, whatever becomes of the connection behind it."""
    end = b"" if session.is_ended else m.SYNC + m.query("select 'probe'") + m.TERMINATE
    whole = b"".join(step.data for step in session.steps) + end
    if session.pace == "at once":
        client.send(whole)
    elif session.pace == "byte by byte":
        client.send_slowly(whole)
    elif session.pace == "cut":
        send_cut(client, whole, random.Random(session.seed))
    else:
        send_in_steps(client, session.steps, seen)
        client.send(end)


def send_cut(client: WireClient, data: bytes, choose: random.Random) -> None:
    position = 0
    while position < len(data):
        size = choose.choice((1, 2, 5, 7, 30, 100, 1000))
        client.send(data[position:position + size])
        position += size
        if choose.random() < 0.1:
            time.sleep(0.0005)


def send_in_steps(client: WireClient, steps: list, seen: list) -> None:
    """Each when the one before has been answered, up to one whose answer has no certain end."""
    waits = True
    for step in steps:
        client.send(step.data)
        waits = waits and step.ready is not None
        left = step.ready if waits else 0
        while left > 0:
            seen.append(client.receive())
            left -= seen[-1].tag == "Z"


def comparable(message: m.Message) -> tuple:
    """Without what differs between two sessions of one server: process ids, OIDs that were handed out meanwhile."""
    body = message.body
    if message.tag == "A":
        body = body[4:]
    elif message.tag == "T":
        count, position, columns = struct.unpack_from("!h", body)[0], 2, []
        for _ in range(count):
            end = body.index(b"\0", position)
            table, *rest = struct.unpack_from("!IhIhih", body, end + 1)
            columns.append((body[position:end], table < FIRST_NORMAL_OID and table, *rest))
            position = end + 19
        return message.tag, tuple(columns)
    elif message.tag in "EN":
        # Where in PostgreSQL's source it comes from is not compared: errors of ours come from nowhere there.
        fields = {key: re.sub(r"pg_temp_\d+", "pg_temp", value) for key, value in message.fields.items() if key not in "FLR"}
        return message.tag, tuple(sorted(fields.items()))
    return message.tag, body


def first_difference(ours: Transcript, theirs: Transcript) -> int | None:
    """The index of the first message that differs; that behind the last one where only the fate does."""
    for index, (one, other) in enumerate(zip(ours.messages, theirs.messages)):
        if comparable(one) != comparable(other):
            return index
    if len(ours.messages) != len(theirs.messages) or ours.fate != theirs.fate:
        return min(len(ours.messages), len(theirs.messages))
    return None


def shown(message: m.Message) -> str:
    return f"{message.summary()} {message.text}" if message.tag in "EN" else f"S {'='.join(message.pair)}" if message.tag == "S" else message.summary()
