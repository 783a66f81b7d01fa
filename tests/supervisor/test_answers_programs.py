"""Answers to programs that everybody has: git add -p, whiptail, dialog, npm init, apt's y/n, single keys. What they did is looked at."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from crew import Crew, wait_until


class Program:
    """A worker that runs a shell script; `out` is what the script has written."""

    def __init__(self, crew: Crew, text: str) -> None:
        self.crew = crew
        crew.configure({"mine": crew.script("w.sh", f"{text}\n")})
        self.id = crew.start("-m", "mine", "go")

    @property
    def out(self) -> str:
        path = self.crew.root / "out"
        return path.read_text() if path.exists() else ""

    def until_asked(self, words: str) -> Any:
        def there() -> Any:
            return next(
                (q for q in self.crew.task(self.id).open_questions if words in q.text and not q.is_unknown), None
            )

        return wait_until(there, lambda: self.crew.tell(self.id))

    def answer(self, *words: str, ok: bool | None = True) -> Any:
        return self.crew.run("answer", self.id, *words, ok=ok)

    def until(self, out: str) -> None:
        wait_until(lambda: self.out.strip() == out, lambda: f"{self.out!r}\n{self.crew.tell(self.id)}")


def needs(name: str) -> Callable[[Any], Any]:
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def test_apts_question_and_one_that_takes_a_single_key(crew: Crew) -> None:
    apt = Program(crew, """printf 'Do you want to continue? [Y/n] '; read a; echo "1 $a" >>out
        printf 'Overwrite? (y/n) '; stty -icanon -echo; b=$(dd bs=1 count=1 2>/dev/null); stty icanon echo; echo; echo "2 $b" >>out
        printf 'And now? [y/N] '; read c; echo "3 $c" >>out; sleep 60""")  # fmt: skip
    for question, word in (("continue?", "yes"), ("Overwrite?", "no"), ("And now?", "n")):
        apt.until_asked(question)
        apt.answer(word)
    apt.until("1 y\n2 n\n3 n")


def test_git_add_p_is_answered_hunk_by_hunk(crew: Crew) -> None:
    def git(*words: str) -> str:
        person = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *person, *words], cwd=crew.root, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    lines = [f"line {n}" for n in range(40)]
    (crew.root / "f").write_text("\n".join(lines))
    git("add", "f")
    git("commit", "-qm", "a")
    lines[2], lines[30] = "changed 2", "changed 30"
    (crew.root / "f").write_text("\n".join(lines))
    adding = Program(crew, "git -c core.pager=cat -c interactive.singleKey=false add -p f; echo over >out; sleep 60")
    adding.until_asked("(1/2) Stage this hunk")
    adding.answer("no")
    adding.until_asked("(2/2) Stage this hunk")
    adding.answer("yes")
    adding.until("over")
    staged = git("diff", "--cached")
    assert "changed 30" in staged and "changed 2\n" not in staged


@needs("whiptail")
def test_S19_whiptail(crew: Crew) -> None:
    box = Program(crew, """whiptail --title T --defaultno --yesno 'Delete it?' 8 40; echo "1 $?" >>out
        whiptail --menu 'Which one?' 15 50 4 a 'the first' b 'the second' c 'the third' 2>>out; echo >>out
        whiptail --checklist 'Which ones?' 15 50 4 lint Lint off unit Unit on e2e E2E off 2>>out; sleep 60""")  # fmt: skip
    box.until_asked("Delete it?")
    box.answer("yes")
    menu = box.until_asked("Which one?")
    assert len(menu.choices) == 3
    box.answer("--choice", "3")
    box.until_asked("Which ones?")
    box.answer("--choice", "1,3")
    box.until('1 0\nc\n"lint" "e2e"')


@needs("dialog")
def test_S19_dialog(crew: Crew) -> None:
    box = Program(crew, """dialog --defaultno --yesno 'Delete it?' 8 40; echo "1 $?" >>out
        dialog --menu 'Which one?' 15 50 4 a 'the first' b 'the second' c 'the third' 2>>out; echo >>out
        dialog --checklist 'Which ones?' 15 50 4 lint Lint off unit Unit on e2e E2E off 2>>out; sleep 60""")  # fmt: skip
    box.until_asked("Delete it?")
    box.answer("yes")
    box.until_asked("Which one?")
    box.answer("--choice", "2")
    box.until_asked("Which ones?")
    box.answer("--choice", "3")
    box.until("1 0\nb\ne2e")


@needs("npm")
def test_npm_init_is_answered_line_by_line(crew: Crew) -> None:
    (crew.root / "pack").mkdir()
    init = Program(crew, f"cd pack; {shlex.quote(shutil.which('npm') or '')} init --no-update-notifier 2>&1; sleep 60")
    for question, text in (("package name:", "a-name"), ("version:", "2.0.0"), ("description:", "It does")):
        init.until_asked(question)
        init.answer("--text", text)
    init.until_asked("entry point:")
    init.crew.run("stop", init.id)


def test_a_page_that_waits_for_enter_goes_on_and_never_by_a_no(crew: Crew) -> None:
    page = Program(crew, """printf 'Press Enter to continue... '; read a; echo "line" >>out
        stty -icanon -echo; printf '\\033[2J\\033[HWelcome\\n\\nPress Enter to continue'; b=$(dd bs=1 count=1 2>/dev/null)
        printf '\\033[2J\\033[HGone'; echo "key" >>out; sleep 60""")  # fmt: skip
    page.until_asked("Press Enter")
    assert page.answer("no", ok=False).returncode == 4 and page.out == ""
    page.answer("yes")
    page.until("line")
    page.until_asked("Press Enter")
    page.answer("ok")
    page.until("line\nkey")
