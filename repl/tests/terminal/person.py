"""A person at a terminal: types into `ag` on a pseudo-terminal and waits for what should appear."""

import atexit
import os
import pty
import re
import select
import signal
import sys
import time

PATIENCE = 60


class Person:
    def __init__(self, program, home, **environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"AG_HOME": home, "TERM": "xterm", **environment})
            os.execv(program, [program])
        self.seen = ""
        atexit.register(self.end)

    def end(self):
        """Nothing outlives a failed test."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def expect(self, wanted):
        """Waits until the pattern appears, and forgets everything up to its end."""
        until = time.monotonic() + PATIENCE
        while True:
            found = re.search(wanted, plain(self.seen))
            if found:
                self.seen = plain(self.seen)[found.end():]
                return
            assert time.monotonic() < until, f"{wanted!r} did not appear in {self.seen!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError as error:
                    raise AssertionError(f"it left before {wanted!r}: {self.seen!r}") from error

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def leave(self):
        self.type("\x04")
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            # Whoever does not read keeps the other side from leaving.
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                assert os.waitstatus_to_exitcode(status) == 0, status
                return
        raise AssertionError("Ctrl-D does not leave")


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def main(program, home):
    person = Person(program, home)
    person.expect("ag 1> ")
    person.type("6 * 7\r")
    person.expect("\r\n42\r\n")
    # Several lines: Enter goes on while the text is not whole.
    person.type("function twice(n : Int) -> Int {\rreturn n * 2\r}\r")
    person.expect("ag 3> ")
    person.type("twice(21)\r")
    person.expect("\r\n42\r\n")
    # Ctrl-C at the prompt drops the line; in a running cell it stops the cell and keeps the session.
    person.expect("ag 4> ")
    person.type("twice(1\x03")
    person.expect("ag 4> ")
    person.type("while true { }\r")
    person.expect("\r\n")
    time.sleep(0.5)
    person.type("\x03")
    person.expect("interrupted")
    person.expect("ag 5> ")
    person.type("twice(4)\r")
    person.expect("\r\n8\r\n")
    # Completion.
    person.expect("ag 6> ")
    person.type("twi\t(5)\r")
    person.expect("\r\n10\r\n")
    person.expect("ag 7> ")
    # Blocks within blocks: each closing bracket moves out, and what is typed next comes after it.
    person.type("if true {\rif true {\rprint(70 + 7)\r}\r}\r")
    person.expect("\r\n77\r\n")
    person.expect("ag 8> ")
    person.leave()

    # The next session has the history: up and Enter.
    person = Person(program, home, NO_COLOR="1")
    person.expect("ag 1> ")
    person.type("1 + 1\r")
    person.expect("\r\n2\r\n")
    person.expect("ag 2> ")
    person.type("\x1b[A\r")
    person.expect("\r\n2\r\n")
    person.expect("ag 3> ")
    person.leave()

    # A terminal that cannot move its cursor.
    person = Person(program, home, TERM="dumb")
    person.expect("ag 1> ")
    person.type("20 + 22\n")
    person.expect("42\r\n")
    person.expect("ag 2> ")
    person.leave()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
