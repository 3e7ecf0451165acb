"""A person at a terminal: types into `ag` on a pseudo-terminal, reads the screen as the terminal shows it."""

import atexit
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

PATIENCE = 90


class Person:
    def __init__(self, program, home, columns=80, rows=30, arguments=(), folder=None, **environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            for name in ("TMUX", "TERM_PROGRAM", "KITTY_WINDOW_ID", "LC_TERMINAL", "COLUMNS", "VISUAL", "EDITOR"):
                os.environ.pop(name, None)
            os.environ.update({"AG_HOME": str(home), "TERM": "xterm-256color", **environment})
            if folder:
                os.chdir(folder)
            # Not before the window has its size.
            os.read(0, 1)
            os.execv(program, [program, *arguments])
        self.raw = ""
        self.exited = None
        # What it answers when it is asked what it can do.
        self.device = "\x1b[?6c"
        self.unshown = ""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.resize(columns, rows)
        os.write(self.terminal, b"\n")
        atexit.register(self.end)

    def end(self):
        """Nothing outlives a failed test."""
        if self.exited is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)

    def type(self, keys):
        os.write(self.terminal, keys.encode() if isinstance(keys, str) else keys)

    def paste(self, text):
        self.type("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def read(self, seconds=0.05):
        """Takes what the program wrote; false when it is gone."""
        while select.select([self.terminal], [], [], seconds)[0]:
            try:
                data = os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                return False
            self.raw += data
            if "\x1b[c" in data:
                self.type(self.device)
            shown, self.unshown = without_pictures(self.unshown + data)
            self.stream.feed(shown)
            seconds = 0
        return True

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines()).rstrip()

    def until(self, holds, what):
        until = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < until, f"{what}; the screen:\n{self.text()}\n{self.raw[-2000:]!r}"
            if not self.read() and not holds():
                raise AssertionError(f"it left before {what}; the screen:\n{self.text()}")

    def sees(self, wanted):
        """Waits until the screen shows the pattern, over several lines if need be."""
        self.until(lambda: re.search(wanted, self.text(), re.M), f"{wanted!r} should appear")
        return re.search(wanted, self.text(), re.M)

    def at(self, number):
        """Waits for the empty prompt of that cell."""
        self.until(lambda: self.line() == f"ag {number}>", f"the prompt {number} should be empty")

    def line(self):
        """The line the cursor is in."""
        return self.lines()[self.screen.cursor.y]

    def shows_line(self, wanted):
        self.until(lambda: self.line() == wanted, f"the cursor should be in {wanted!r}")

    def runs(self, cell, *results):
        """Enters a cell and waits for its results."""
        self.type(cell + "\r")
        for result in results:
            self.sees(result)

    def clear(self):
        """Ctrl-L: what is seen next is new."""
        self.type("\x0c")
        self.until(lambda: self.screen.cursor.y == 0, "the screen should be cleared")

    def gone(self):
        """Waits for the end and gives the exit code."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exited = os.waitstatus_to_exitcode(status)
                return self.exited
        raise AssertionError(f"it does not leave; the screen:\n{self.text()}")

    def leave(self):
        # Before the prompt stands, Ctrl-D is the terminal's end of input, not the editor's.
        self.until(lambda: re.fullmatch(r"ag \d+>", self.line()), "the prompt should be empty")
        self.type("\x04")
        assert self.gone() == 0, self.exited


def without_pictures(data):
    """Takes out what the emulator does not know: synchronised updates, questions, kitty, iTerm and sixel.
    Gives what can be shown, and the beginning of a sequence whose end has not come yet."""
    data = re.sub(r"\x1b\[\?2026[hl]|\x1b\[c", "", data)
    data = re.sub(r"\x1b(?:_G|Pq|Ptmux;|\]1337;).*?(?:\x1b\\|\x07)", "", data, flags=re.S)
    begun = re.search(r"\x1b(?:[_P\]].*)?\Z|\x1b\[[?0-9;]*\Z", data, flags=re.S)
    return (data[:begun.start()], data[begun.start():]) if begun else (data, "")
