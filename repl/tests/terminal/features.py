"""What the terminal promises a person, one function a promise. Run: features.py PROGRAM FOLDER [NAME...]"""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from screen import Person

UP, DOWN, RIGHT, LEFT, END = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[F"
ALT_ENTER, CTRL_C, CTRL_R, CTRL_Z = "\x1b\r", "\x03", "\x12", "\x1a"
TWICE = "function twice(n : Int) -> Int {\rreturn n * 2\r}\r"


def indents_and_dedents(start):
    person = start()
    person.at(1)
    person.type("function sign(n : Int) -> Int {\rif n < 0 {\rreturn -1\r}\rreturn 1\r}")
    person.sees(r"Int \{\n  if n < 0 \{\n    return -1\n  \}\n  return 1\n\}$")
    person.type("\r")
    person.at(2)
    person.runs("sign(-5)", r"^-1$")
    # A Tab typed before the prompt stands is the terminal's, not the editor's.
    person.at(3)
    # Tab indents where there is nothing to complete, Backspace takes the level back.
    person.type("print(\r\t")
    person.until(lambda: person.screen.cursor.x == 4, "Tab should indent")
    person.type("\x7f")
    person.until(lambda: person.screen.cursor.x == 2, "Backspace should go back a level")
    person.type("8)\r")
    person.sees(r"^8$")
    # An empty line may stand in a cell; a second one gives up and tells what is missing.
    person.at(4)
    person.type("print(\r\r9\r)\r")
    person.sees(r"^9$")
    person.at(5)
    person.type("print(\r\r\r")
    person.sees("E01")
    person.at(6)
    person.leave()


def edits_several_lines(start):
    person = start()
    person.at(1)
    person.type(TWICE)
    person.at(2)
    person.runs("twice(4)", r"^8$")
    person.at(3)
    # Up brings the whole entry back; within it Up goes to the line above; Enter runs it from there.
    person.type(UP + UP)
    person.sees(r"ag 3> function twice.*\n  return n \* 2\n\}$")
    person.type(UP + END + "\x7f" + "3\r")
    person.at(4)
    person.runs("twice(4)", r"^12$")
    # Alt-Enter adds a line to a text that is whole; Enter does behind an opening bracket.
    person.at(5)
    person.type("1 + 1" + ALT_ENTER + "5 * 5\r")
    person.sees(r"^25$")
    person.at(6)
    person.type(UP * 4)
    person.sees(r"ag 6> function twice")
    person.type(UP * 2 + END + "\r" + "print(\"in it\")\r")
    person.at(7)
    person.runs("twice(1)", r"^in it$", r"^3$")
    person.leave()


def pastes(start):
    person = start()
    person.at(1)
    person.paste("function f(n : Int) -> Int {\n  if n > 1 {\n    return n\n  }\n  return 1\n}\n\nf(77)")
    person.sees(r"ag 1> function f.*\n  if n > 1 \{\n    return n\n  \}\n  return 1\n\}\n\nf\(77\)$")
    person.type("\r")
    person.sees(r"^77$")
    # What is typed ahead while a cell runs is not lost.
    person.at(2)
    person.type("@sleep(300ms)\r1 + 1\r2 + 3\r")
    person.sees(r"^2$")
    person.sees(r"^5$")
    person.at(5)
    person.leave()


def hints(start):
    person = start()
    person.at(1)
    person.type("/// Doubles.\r" + TWICE)
    person.at(2)
    # What the call takes; it informs and is not taken over.
    person.type("twice(")
    person.shows_line("ag 2> twice(n : Int) -> Int")
    person.type(RIGHT + "21)\r")
    person.sees(r"^42$")
    # From the history: whole with the right arrow, or a word.
    person.at(3)
    person.type("twi")
    person.shows_line("ag 3> twice(21)")
    person.type(RIGHT + "\r")
    person.sees(r"42\n+.*\n?42$|42\nag 3> twice\(21\)\n42")
    person.at(4)
    person.type("let total := 5\r")
    person.at(5)
    person.type("total")
    person.shows_line("ag 5> total : Int")
    person.type(CTRL_C)
    person.at(5)
    assert "ag 5> total : Int" not in person.text(), "a dropped text leaves no hint behind"
    person.type("le" + "\x1bf" + " total := 6")
    person.shows_line("ag 5> let total := 6")
    person.type("\r")
    person.at(6)
    # What a call takes is cut to its line.
    person.clear()
    person.type("@llm_call(")
    person.sees(r"^ag 6> @llm_call\(.*…$")
    assert len(person.text().splitlines()) == 1, person.text()
    person.type(CTRL_C)
    person.at(6)
    assert "…" not in person.text(), person.text()
    person.leave()


def completes(start):
    person = start(columns=70)
    person.at(1)
    person.type("function tariff(n : Int) -> Int {\rreturn n * 2\r}\r")
    person.at(2)
    person.type("function tariff_rate(name : Text) -> Float {\rreturn 0.5\r}\r")
    person.at(3)
    # One key shows the list with types, and goes on to what all have in common.
    person.type("tar\t")
    person.sees(r"^tariff .*\(n ?: Int\) -> Int")
    person.sees(r"^tariff_rate .*\(name ?: Text\) -> Float")
    person.type("(4)\r")
    person.sees(r"^8$")
    # Session commands at the start of a line.
    person.at(4)
    person.type(":hist\t")
    person.shows_line("ag 4> :history")
    person.type(CTRL_C)
    person.at(4)
    person.type(":b\t")
    person.sees(r"ag 4> :budget")
    person.type(CTRL_C)
    person.at(4)
    # Files, for commands that take one.
    Path(person.folder, "program.ag").write_text("print(606)\n")
    person.type(":edit prog\t")
    person.shows_line("ag 4> :edit program.ag")
    person.type(CTRL_C)
    person.at(4)
    assert all(len(line) <= 70 for line in person.lines())
    person.leave()


def recalls_the_history(start):
    first = start()
    first.at(1)
    first.type("let price := 101.5\r")
    first.at(2)
    first.type("function half(x : Float) -> Float {\rreturn x / 2.0\r}\r")
    first.at(3)
    # A second terminal on the same home, at the same time.
    second = start()
    second.at(1)
    second.runs("print(\"from the second\")", r"^from the second$")
    first.runs("price * 2.0", r"^203\.0$")
    first.leave()
    second.leave()

    person = start()
    person.at(1)
    # Ctrl-R: text, then a glob; several lines come back whole.
    person.type(CTRL_R + "second")
    person.sees(r"i-search\)`second': print\(\"from the second\"\)")
    person.type("\x07")
    person.at(1)
    person.type(CTRL_R + "fun*x /")
    person.sees(r"function half\(x : Float\)")
    person.type("\r")
    person.at(2)
    person.runs("half(price_of())", "E0201")
    person.at(3)
    person.type(CTRL_R + "PRICE*2")
    person.sees("failed")
    person.type(CTRL_C)
    person.at(3)
    # What found nothing runs nothing: the line is as it was.
    person.type("kept" + CTRL_R + "price zz")
    person.sees("failed")
    person.type("\r")
    person.shows_line("ag 3> kept")
    person.type("\x7f" * 4)
    person.at(3)
    # By prefix.
    person.type("let\x1b[5~")
    person.shows_line("ag 3> let price := 101.5")
    person.type("\r")
    person.at(4)
    person.runs("half(price)", r"^50\.75$")
    person.at(5)
    person.clear()
    person.runs(":history price", r"let price := 101\.5", r"1/3|price \* 2\.0")
    person.at(6)
    assert "from the second" not in person.text()
    # A step of the tour is a cell like others, now and in the next session.
    person.runs(":tour", "Step 1 of 10")
    person.at(7)
    person.runs("", "Step 2 of 10")
    person.at(8)
    person.runs(":tour end", "the tour is over")
    person.at(9)
    person.type(UP * 3)
    person.sees(r"ag 9> let prices := \[12\.0")
    person.type(CTRL_C)
    person.at(9)
    person.leave()
    person = start()
    person.at(1)
    person.type(CTRL_R + "filter")
    person.sees(r"let prices := \[12\.0.*\n?prices\.filter")
    person.type("\x07")
    person.at(1)
    person.leave()

    # The notebook's history is the same file; every entry is there once.
    lines = Path(person.home, "history.ndjson").read_text().splitlines()
    inputs = [entry["input"] for entry in map(json.loads, lines) if "input" in entry]
    assert inputs.count("price * 2.0") == 1 and inputs.count('print("from the second")') == 1, inputs
    sessions = {entry["session"] for entry in map(json.loads, lines)}
    assert sessions == {1, 2, 3}, sessions


def edits_in_an_editor(start):
    editor = Path(start.folder, "editor.sh")
    editor.write_text('#!/bin/sh\ncase "$(cat "$STEP")" in\nsed) sed -i s/40/41/ "$1" ;;\nkeep) ;;\nempty) : > "$1" ;;\nfail) exit 3 ;;\nesac\n')
    editor.chmod(editor.stat().st_mode | stat.S_IEXEC)
    step = Path(start.folder, "step")

    def does(what):
        step.write_text(what)

    person = start(EDITOR=str(editor), STEP=str(step))
    person.at(1)
    person.runs("40 + 1", r"^41$")
    person.at(2)
    does("sed")
    person.type(":edit\r")
    person.sees(r"^41 \+ 1\n42$")
    # A definition by its name, a cell by its number.
    person.at(4)
    person.type("function f() -> Int {\rreturn 40\r}\r")
    person.at(5)
    person.type(":edit f\r")
    person.sees(r"^function f\(\) -> Int \{\n  return 41\n\}$")
    person.at(7)
    person.runs("f()", r"^41$")
    person.at(8)
    person.clear()
    person.type(":edit 1\r")
    person.sees(r"^42$")
    # Nothing runs, and it is said why.
    person.at(10)
    for what, said in (("keep", r"nothing\s+was\s+changed"), ("empty", r"the\s+text\s+is\s+empty"), ("fail", r"ended\s+with 3")):
        does(what)
        person.clear()
        person.type(":edit 1\r")
        person.sees(said)
        assert not re.search(r"^4[12]$", person.text(), re.M), person.text()
    person.clear()
    person.runs(":edit 99", "no cell 99")
    person.runs(":edit nothing", "not defined")
    # A file is edited in place and run.
    does("sed")
    Path(start.folder, "program.ag").write_text("print(4000)\n")
    person.runs(":edit program.ag", r"^4100$")
    assert Path(start.folder, "program.ag").read_text() == "print(4100)\n"
    # What is being typed goes to the editor and comes back to the prompt.
    person.clear()
    person.type("print(400)\x18\x05")
    person.sees(r"> print\(410\)$")
    person.type("\r")
    person.sees(r"^410$")
    person.leave()

    lost = start(EDITOR="no-such-editor-here")
    lost.at(1)
    lost.runs("1", r"^1$")
    lost.at(2)
    lost.runs(":edit 1", r"was\s+not\s+found;\s+set\s+EDITOR")
    lost.at(3)
    lost.leave()


AGENT = """agent Clock {
  behavior tick(n : Int) -> Int {
    for i in 0..n {
      @sleep(60ms)
      print("tick $i of the agent")
    }
    return n
  }
}
let clock := @spawn(Clock)
let ticks := clock.tick(20)
"""


def prints_above_the_prompt(start):
    person = start(rows=40)
    person.at(1)
    person.paste(AGENT)
    person.type("\r")
    person.until(lambda: "ag 2>" in person.text(), "the next prompt should come")
    # Typing goes on while the agent prints.
    for key in "let answer := 42":
        person.type(key)
        person.read(0.08)
    person.sees(r"tick 19 of the agent")
    person.sees(r"^ag 2> let answer := 42$")
    ticks = [line for line in person.lines() if "tick" in line and "agent" in line and "$" not in line]
    assert ticks == [f"tick {i} of the agent" for i in range(20)], person.text()
    person.type("\r")
    person.at(3)
    # Many prints and a prompt that ends at the same time: nothing waits for the other, nothing is lost.
    person.runs("let more := clock.tick(15)")
    for number in range(4, 10):
        person.at(number)
        person.type("answer\r")
    person.at(10)
    person.until(lambda: len(re.findall(r"^tick 14 of the agent$", person.text() + person.raw, re.M)) >= 1 or "tick 14 of the agent\r\n" in person.raw.split("let more")[-1], "all ticks should come")
    person.leave()


def interrupts_and_leaves(start):
    person = start()
    person.at(1)
    # On a text: it is dropped, and Up has it.
    person.type("twice(1")
    person.shows_line("ag 1> twice(1")
    person.type(CTRL_C)
    person.at(1)
    person.type(UP)
    person.shows_line("ag 1> twice(1")
    person.type(CTRL_C)
    person.at(1)
    # In a cell: only the cell ends.
    person.type("let kept := 7\r")
    person.at(2)
    person.type("print(\"begun\"); while true { }\r")
    person.sees(r"^begun$")
    person.type(CTRL_C)
    person.sees("interrupted")
    person.at(3)
    person.runs("kept", r"^7$")
    person.at(4)
    # On nothing: once hints, twice leaves; anything between forgets the first.
    person.type(CTRL_C)
    person.sees("Ctrl-C again leaves")
    person.at(4)
    person.type("1\r")
    person.at(5)
    person.clear()
    person.type(CTRL_C)
    person.sees("Ctrl-C again leaves")
    person.at(5)
    person.type(CTRL_C)
    assert person.gone() == 0

    # Ctrl-D on a text deletes; on nothing it leaves.
    person = start()
    person.at(1)
    person.type("123" + LEFT + "\x04\r")
    person.sees(r"^12$")
    person.at(2)
    person.leave()


def suspends_and_resumes(start):
    # Job control needs a shell.
    person = start(program="/bin/sh", arguments=("-i",), PS1="shell> ", ENV="")
    person.sees("shell>")
    person.type(f"{start.program}\r")
    person.at(1)
    person.type("1 + 2" + CTRL_Z)
    person.sees(r"Stopped|Suspended|suspended")
    person.sees(r"shell> *$")
    person.type("echo sh$((40+2))own\r")
    person.sees(r"^sh42own$")
    person.type("fg\r")
    person.sees(r"> 1 \+ 2$")
    person.type("0\r")
    person.sees(r"^21$")
    person.at(2)
    # Within a cell, too.
    person.type("@sleep(700ms)\r")
    person.read(0.2)
    person.type(CTRL_Z)
    person.until(lambda: len(re.findall("Stopped|uspended", person.text())) == 2, "it should stop again")
    person.type("fg\r")
    person.at(3)
    person.runs("5 * 5", r"^25$")
    person.at(4)
    person.type("\x04")
    person.sees(r"shell> *$")
    person.type("exit\r")
    person.gone()


def follows_the_window(start):
    person = start(columns=80)
    person.at(1)
    table = '[{ name: "a rather long name that needs some room", other: "another text of some length here" }]'
    person.paste(table)
    person.type("\r")
    person.at(2)
    assert any(len(line) > 60 for line in person.lines() if line.startswith("│")), person.text()
    person.resize(40, 30)
    person.read(0.3)
    person.clear()
    person.paste(table)
    person.type("\r")
    person.at(3)
    boxes = [line for line in person.lines() if line.startswith(("│", "┌", "└", "├"))]
    assert boxes and all(len(line) <= 40 for line in boxes), person.text()
    assert len({len(line) for line in boxes}) == 1, person.text()
    for command in (":help", ":cost", ":trace", ":lanes"):
        person.type(command + "\r")
    person.at(7)
    person.leave()


def aligns_wide_characters(start):
    person = start()
    person.at(1)
    person.paste('[{ name: "漢字", n: 1 }, { name: "abc", n: 22 }, { name: "🎉é", n: 3 }]')
    person.type("\r")
    person.at(2)
    rows = [y for y, line in enumerate(person.screen.display) if line.lstrip().startswith(("│", "┌"))]
    # The emulator puts a wide character into two cells: the borders stand in the same cells of every row.
    borders = {tuple(x for x in range(80) if person.screen.buffer[y][x].data in tuple("│┌┬┐")) for y in rows}
    assert len(rows) >= 5 and len(borders) == 1, (borders, person.text())
    # The cursor knows their width, too.
    person.type('"漢字"' + LEFT * 2 + "x\r")
    person.sees('"漢x字"')
    person.at(3)
    person.leave()


def shows_pictures(start):
    agent = 'agent A { behavior go() -> Int { return 1 } }\nlet a := @spawn(A)\nawait a.go()'

    def trace(device="\x1b[?6c", **environment):
        person = start(**{"AG_INLINE_IMAGES": "auto", **environment})
        person.device = device
        person.at(1)
        person.paste(agent)
        person.type("\r")
        person.at(2)
        person.raw = ""
        person.type(":trace\r")
        person.at(3)
        person.leave()
        return person.raw

    kitty = trace(AG_INLINE_IMAGES="kitty")
    assert re.search(r"\x1b_Ga=T,f=100,q=2,c=\d+,m=1;iVBOR", kitty), kitty[:400]
    assert re.search(r"\x1b_G\S*;iVBOR", trace(TERM="xterm-kitty"))
    assert re.search(r"\x1b\]1337;File=inline=1;size=\d+;width=\d+;preserveAspectRatio=1:iVBOR", trace(TERM_PROGRAM="iTerm.app"))
    sixel = trace(AG_INLINE_IMAGES="sixel")
    assert re.search(r"\x1bPq\"1;1;\d+;\d+#0;2;", sixel) and "\x1b\\" in sixel, sixel[:400]
    # A terminal that says it can; one that says it cannot gets the chart as text.
    assert "\x1bPq" in trace(device="\x1b[?62;4;22c")
    text = trace(device="\x1b[?62;22c")
    assert "\x1bPq" not in text and "\x1b_G" not in text and "cell 1" in text
    # tmux gets an envelope, and only if asked for.
    assert "\x1bPtmux;\x1b\x1b_G" in trace(AG_INLINE_IMAGES="kitty", TMUX="/tmp/tmux-0/default,1,0")
    none = trace(AG_INLINE_IMAGES="none", TERM="xterm-kitty")
    assert "\x1b_G" not in none and "\x1bPq" not in none
    # Elsewhere than on a terminal there are none.
    piped = subprocess.run([start.program], input=agent + "\n:trace\n", capture_output=True, text=True,
                           env={**os.environ, "AG_HOME": str(start.home), "AG_INLINE_IMAGES": "kitty"})
    assert piped.returncode == 0 and "\x1b" not in piped.stdout, piped


def respects_plain_terminals(start):
    # No colours: the same, in one colour.
    person = start(NO_COLOR="1")
    person.at(1)
    person.runs('let t := "text"; print(t)', r"^text$")
    person.at(2)
    person.runs("1 +* 2", "E01")
    person.at(3)
    assert not re.search(r"\x1b\[[0-9;]+m", person.raw), person.raw
    person.leave()

    # A terminal that cannot move its cursor: lines are read as they come, whole cells over several.
    dumb = start(TERM="dumb")
    dumb.at(1)
    dumb.type("function f() -> Int {\n")
    dumb.type("  return 20 + 22\n")
    dumb.type("}\n")
    dumb.at(2)
    dumb.type("f()\n")
    dumb.sees(r"^42$")
    dumb.at(3)
    assert "\x1b" not in dumb.raw, dumb.raw
    dumb.leave()

    # A pipe.
    piped = subprocess.run([start.program], input="function f() -> Int {\n  return 42\n}\nf()\n", capture_output=True,
                           text=True, env={**os.environ, "AG_HOME": str(start.home)})
    assert (piped.returncode, piped.stdout) == (0, "42\n"), piped


def explains_its_keys(start):
    person = start(rows=60, columns=100)
    person.at(1)
    person.runs(":help keys", "Ctrl-R", "Alt-Enter", "Ctrl-X Ctrl-E")
    person.at(2)
    person.leave()


PROMISES = [
    indents_and_dedents, edits_several_lines, pastes, hints, completes, recalls_the_history, edits_in_an_editor,
    prints_above_the_prompt, interrupts_and_leaves, suspends_and_resumes, follows_the_window, aligns_wide_characters,
    shows_pictures, respects_plain_terminals, explains_its_keys,
]


class Start:
    """Starts `ag` in a home and a folder of the promise's own."""

    def __init__(self, program, folder):
        self.program = program
        self.home = Path(folder, "home")
        self.folder = Path(folder, "work")
        self.folder.mkdir(parents=True)

    def __call__(self, program=None, **options):
        options.setdefault("AG_INLINE_IMAGES", "none")
        person = Person(program or self.program, self.home, folder=self.folder, **options)
        person.home, person.folder = self.home, self.folder
        return person


def main(program, folder, *names):
    known = {promise.__name__: promise for promise in PROMISES}
    for name in names or known:
        known[name](Start(program, Path(folder, name)))
        print(f"{name}: kept", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
