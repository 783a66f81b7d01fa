"""A letter is typed into the composer while a message is on its way: is what dispatch says of the message true?"""

from __future__ import annotations

import json
import random
import time
from collections import Counter

from chaos.rig import Result, Rig, progress, rig, until

TRIES = 40


def campaign(seed: int, tries: int) -> Result:
    rng, failures = random.Random(seed), list[str]()
    became: Counter[str] = Counter()
    with rig("glue") as r:
        received = r.base / "received"
        r.start("-m", "demo", "--id", "t", "--item", "look", "x", DEMO_RECEIVED=str(received), DEMO_PACE="0.05")
        r.until("t", "done")
        for n in range(tries):
            body = f"message number {n} for you"
            told, said = _sent(r, body, rng)
            texts = [json.loads(line)["text"] for line in received.read_text().splitlines()]
            exact, glued = texts.count(body), any(body in text and text != body for text in texts)
            there = "there" if exact == 1 else f"there {exact} times" if exact else "glued" if glued else "not there"
            became[f"{told}, {there}"] += 1
            if exact > 1 or (told == "delivered" and exact != 1):
                failures.append(f"{n}: {told}, {there}: {said}")
                progress(n, tries, failures[-1:])
    return Result(tries, failures, [f"{count} × {what}" for what, count in became.items()])


def _sent(r: Rig, body: str, rng: random.Random) -> tuple[str, str]:
    """Send BODY and type "xy" at some moment of its way, then clear the composer: what was told, and in which words."""
    pane = r.task("t").pane
    sending = r.popen("send", "-v", "t", body)
    until(lambda: f"❯ {body}" in r.tmux("capture-pane", "-p", "-t", pane).text, 5, 0.0)
    for letter, most in (("x", 0.12), ("y", 0.05)):
        time.sleep(rng.uniform(0, most))
        r.tmux("send-keys", "-t", pane, "-l", letter)
    out, err = sending.communicate(timeout=60)
    r.tmux("send-keys", "-t", pane, "C-u")
    until(
        lambda: "❯ x" not in (text := r.tmux("capture-pane", "-p", "-t", pane).text) and body + "x" not in text[-400:],
        2,
    )
    time.sleep(0.2)
    return "delivered" if sending.returncode == 0 else "undelivered", (out + err).strip()
