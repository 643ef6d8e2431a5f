"""How long others wait meanwhile."""
import time


def seconds_of(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def p99_of(times: list) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def p99(client, rounds: int = 300) -> float:
    """Of `select 1`, one after the other."""
    return p99_of([seconds_of(lambda: client.query("select 1")) for _ in range(rounds)])


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
