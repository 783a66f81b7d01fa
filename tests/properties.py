"""What the property tests share: how many examples, and what they are made of."""

from __future__ import annotations

import os
import unicodedata
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same examples each time: a test never fails by chance. HYPOTHESIS_PROFILE=long looks further.
settings.register_profile("suite", max_examples=30, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "long", max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

ODD = (
    "\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://e\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b", "\x9b31m", "\x9d0;x\x9c", "\x90q", "\x85", "\r", "\r\n", "\n", "\t",
    "\x00", "\x07", "\x0b", "\x0c", "\x1c", "\x7f", "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\u200d", "\ufe0f", "\ufeff", "\u00ad", "\U000e0041",
    "\U0001bca0", "\ufff3", "\ud800", "\u3164", "é", "漢", "👩‍👧", "- [ ] x", "- [x] y", "```", "## Notes", "1. a", "2. b", "> q", " ", "  ",
)  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=6)), max_size=12).map("".join)
words = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
plain = st.lists(words, min_size=1, max_size=6).map(" ".join)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=4
)  # fmt: skip
_IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip


def forbidden(char: str) -> bool:
    """Whether CHAR has no place in what a person is shown: a control, or what cannot be seen (Unicode's Default_Ignorable).

    The joiners and the two selectors of emoji belong to words; Arabic and other signs of the category Cf are visible.
    """
    if char in "\n\t\u200c\u200d\ufe0e\ufe0f":
        return False
    return unicodedata.category(char) in ("Cc", "Cs") or any(low <= ord(char) <= high for low, high in _IGNORABLE)
