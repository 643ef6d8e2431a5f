"""Two transcripts of one session: what differs, and which differences are there on purpose."""
import re

from session import Session, Transcript, first_difference, play, shown


def explained(session: Session, ours: Transcript, theirs: Transcript) -> bool:
    at = first_difference(ours, theirs)
    if at is None:
        return True
    # Nothing explains that one way ends otherwise: a hang, or a connection that is lost.
    if ours.fate != theirs.fate:
        return False
    if at < min(len(ours.messages), len(theirs.messages)):
        one, other = ours.messages[at], theirs.messages[at]
        # A client that has prepared one text under two names may read the other name in this error; none, where it has closed it.
        is_told_by_another_name = of_the_other_name(one) == of_the_other_name(other) != ""
        # Both wrong in itself and of a text that is wrong by now: where the server lacks the statement, the text comes first.
        is_wrong_twice = of_the_other_name(other) != "" and one.tag == "E" and one.severity == "ERROR" and one.sqlstate.startswith("42")
        # What breaks a COPY may be a message of ours ahead of the client's.
        is_of_another_type = of_whatever_type(one) == of_whatever_type(other) != ""
        if is_told_by_another_name or is_wrong_twice or is_of_another_type:
            rest = [Transcript(each.messages[at + 1:], each.fate) for each in (ours, theirs)]
            return explained(session, *rest)
    if any(comes_behind_a_query(each.messages[at:]) for each in (ours, theirs)):
        # To describe a statement where the server lacks it takes a Parse, which is a query to a BEGIN in the same batch; and
        # the client's own Parse is none where the server has the statement.
        return True
    if at < len(ours.messages) and ours.messages[at].sqlstate == "25P02" and has_failed(theirs.messages[:at]):
        # In a transaction that has failed PostgreSQL describes some statements, and finds fault with some messages; where
        # the server lacks the statement nothing can be had but this.
        return True
    if any(at < len(each.messages) and is_named_by_a_statement(session, each.messages[at], sqlstate)
           for each, sqlstate in ((ours, "26000"), (theirs, "42P05"))):
        # SQL that executes a statement of the protocol's whose own text executes, deallocates or prepares another one.
        return True
    if session.says_good_bye and ours.fate == "closed" and len(ours.messages) == at and not any(message.tag == "Z" for message in theirs.messages[at:]):
        # What no Sync or Flush asked an answer for before a Terminate PostgreSQL answers up to an error, and we do not.
        return True
    # Where framing is lost PostgreSQL closes without a word, and we say why.
    rest = ours.messages[at:]
    return (ours.fate == "closed" and len(theirs.messages) == at and len(rest) == 1
            and rest[0].summary() == "E:FATAL:08P01" and rest[0].fields.get("R") == "pgsluice")


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


def compare(oracle, proxy, mode: str, session: Session) -> str:
    """What differs and has no reason; empty: nothing."""
    theirs, ours = play(oracle.address, "app", session), play(proxy.address, mode, session)
    return "" if explained(session, ours, theirs) else difference_between(ours, theirs)
