"""Two transcripts of one session: what differs, and which differences are there on purpose."""
import re
from dataclasses import dataclass

from session import Session, Transcript, first_difference, play, shown


@dataclass(frozen=True)
class Verdict:
    """What differs and has no reason; empty: nothing. A reason may leave the two in different states: what comes behind it is
    not compared, and `given_up` is that reason."""
    difference: str = ""
    given_up: str = ""
    left: int = 0  # of PostgreSQL's messages, not compared


@dataclass(frozen=True)
class Reason:
    """`goes_on`: where each goes on to be compared, or None."""
    why: str
    goes_on: tuple | None = None


def reason_for(mode: str, session: Session, ours: Transcript, theirs: Transcript, at: int) -> Reason | None:
    """Why they differ from there on."""
    # Nothing explains that one way ends otherwise: a hang, or a connection that is lost.
    if ours.fate != theirs.fate:
        return None
    if at < min(len(ours.messages), len(theirs.messages)):
        one, other = ours.messages[at], theirs.messages[at]
        if of_the_other_name(one) == of_the_other_name(other) != "":
            return Reason("one text under two names: an error may tell the other name, and none where the client has closed it", (at + 1, at + 1))
        if of_the_other_name(other) != "" and one.tag == "E" and one.severity == "ERROR" and one.sqlstate.startswith("42"):
            return Reason("wrong in itself and of a text that is wrong by now: where the server lacks the statement, the text comes first", (at + 1, at + 1))
        if of_whatever_type(one) == of_whatever_type(other) != "":
            return Reason("what breaks a COPY may be a message of ours ahead of the client's", (at + 1, at + 1))
        if mode == "session" and other.sqlstate == "42704" and 'parameter "app.' in other.text:
            return Reason("in session mode nobody sees what names of custom settings a client makes, and DISCARD ALL leaves them")
    if any(comes_behind_a_query(each.messages[at:]) for each in (ours, theirs)):
        return Reason("to describe a statement where the server lacks it takes a Parse, which is a query to a BEGIN in the same batch; and the client's own "
                      "Parse is none where the server has the statement")
    if at < len(ours.messages) and ours.messages[at].sqlstate == "25P02" and has_failed(theirs.messages[:at]):
        # What the batch has done besides shows in its ReadyForQuery.
        turns = [end_of_turn(each.messages, at) for each in (ours, theirs)]
        is_as_it_was = None not in turns and has_failed(ours.messages[:turns[0]]) and has_failed(theirs.messages[:turns[1]])
        return Reason("in a transaction that has failed PostgreSQL describes some statements, and finds fault with some messages; where the server lacks the "
                      "statement nothing can be had but 25P02", tuple(turns) if is_as_it_was else None)
    if any(at < len(each.messages) and is_named_by_a_statement(session, each.messages[at], sqlstate)
           for each, sqlstate in ((ours, "26000"), (theirs, "42P05"))):
        return Reason("SQL that executes a statement of the protocol's whose own text executes, deallocates or prepares another one")
    if session.says_good_bye and ours.fate == "closed" and len(ours.messages) == at and not any(message.tag == "Z" for message in theirs.messages[at:]):
        return Reason("what no Sync or Flush asked an answer for before a Terminate PostgreSQL answers up to an error, and we do not", (at, len(theirs.messages)))
    rest = ours.messages[at:]
    if (ours.fate == "closed" and len(theirs.messages) == at and len(rest) == 1
            and rest[0].summary() == "E:FATAL:08P01" and rest[0].fields.get("R") == "pgsluice"):
        return Reason("where framing is lost PostgreSQL closes without a word, and we say why", (at + 1, at))
    return None


def judge(mode: str, session: Session, ours: Transcript, theirs: Transcript) -> Verdict:
    while (at := first_difference(ours, theirs)) is not None:
        left = len(theirs.messages) - at
        reason = reason_for(mode, session, ours, theirs, at)
        if reason is None:
            return Verdict(difference_between(ours, theirs), left=left)
        if reason.goes_on is None:
            return Verdict(given_up=reason.why, left=left)
        ours, theirs = (Transcript(each.messages[to:], each.fate) for each, to in zip((ours, theirs), reason.goes_on))
    return Verdict()


def end_of_turn(messages: list, at: int) -> int | None:
    """Behind the next ReadyForQuery."""
    return next((index + 1 for index in range(at, len(messages)) if messages[index].tag == "Z"), None)


def is_named_by_a_statement(session: Session, message, sqlstate: str) -> bool:
    """Whether this error is about a statement that the text of another one names."""
    about = re.search('prepared statement "([^"]*)" (does not exist|already exists)', message.text) if message.sqlstate == sqlstate else None
    if about is None:
        return False
    texts = [step.words for step in session.steps if not step.words.startswith("Q ")]
    return any(re.search(rf'(execute|deallocate|prepare) "?{re.escape(about[1])}\b', words, re.IGNORECASE) for words in texts)


def comes_behind_a_query(messages: list) -> bool:
    """Whether the first is the error of a BEGIN that PostgreSQL finds too late."""
    return bool(messages) and messages[0].summary() == "E:ERROR:25001" and "before any query" in messages[0].text


def has_failed(messages: list) -> bool:
    """Whether they leave a transaction that has failed."""
    return next((message.body for message in reversed(messages) if message.tag == "Z"), b"") == b"E"


def of_the_other_name(message) -> str:
    return re.sub('statement( "[^"]*")?', "", message.text) if message.tag == "E" and "bind message supplies" in message.text else ""


def of_whatever_type(message) -> str:
    return re.sub("type 0x..", "", message.text) if message.tag == "E" and "during COPY from stdin" in message.text else ""


def difference_between(ours: Transcript, theirs: Transcript) -> str:
    at = first_difference(ours, theirs)

    def around(transcript: Transcript) -> str:
        lines = [f"    {'>' if i == at else ' '} {shown(each)}" for i, each in enumerate(transcript.messages) if at - 3 <= i <= at + 3]
        return "\n".join([*lines, f"      {transcript.fate}"])

    return f"  PostgreSQL:\n{around(theirs)}\n  pgsluice:\n{around(ours)}"


def compare(oracle, proxy, mode: str, session: Session) -> Verdict:
    theirs, ours = play(oracle.address, "app", session), play(proxy.address, mode, session)
    return judge(mode, session, ours, theirs)
