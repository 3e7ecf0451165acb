"""What a program shows by itself and asks, as a person at a pseudo-terminal meets it."""

import sys

from person import Person


def main(program, home):
    person = Person(program, home)
    person.expect("ag 1> ")
    # A bar is redrawn in its line, below what is printed, and stays when it is full.
    person.type('let p := progress(4, "runs")\r')
    person.expect("runs: 0 of 4")
    person.expect("ag 2> ")
    person.type('p.advance(2); print("printed " + "above"); p.advance(2)\r')
    person.expect("printed above\r\n")
    person.expect("runs: 4 of 4 .*\r\n")
    # The last display is replaced where it stands; an update of an earlier one is told anew.
    person.expect("ag 3> ")
    person.type('let d := display("o" + "ne"); d.update("t" + "wo")\r')
    person.expect('"one"\r\n\r')
    person.expect('"two"\r\n')
    person.expect("ag 4> ")
    person.type("d.update(1 + 2)\r")
    person.expect("updated: 3\r\n")
    # A question is answered with a line; Ctrl-C takes it back, Ctrl-D refuses.
    person.expect("ag 5> ")
    person.type('let name := input("na" + "me: ")\r')
    person.expect("\nname: ")
    person.type("bob\r")
    person.expect("ag 6> ")
    person.type('print("hi $name")\r')
    person.expect("hi bob\r\n")
    person.expect("ag 7> ")
    person.type('input("ne" + "ver: ")\r')
    person.expect("\nnever: ")
    person.type("typed\x03")
    person.expect("interrupted")
    person.expect("ag 8> ")
    person.type('input("no" + "body: ")\r')
    person.expect("\nnobody: ")
    person.type("\x04")
    person.expect("R0702")
    person.expect("ag 9> ")
    person.type("1 + 1\r")
    person.expect("\r\n2\r\n")
    # An agent that asks while the prompt is shown waits for Enter.
    person.expect("ag 10> ")
    person.type('agent Asker { behavior ask() -> Text { @sleep(3s); return input("it a" + "sks: ") } }\r')
    person.expect("ag 11> ")
    person.type("let asker := @spawn(Asker); let given := asker.ask()\r")
    person.expect("a question waits for Enter: it asks: ")
    person.type("\r")
    person.expect("\nit asks: ")
    person.type("first\r")
    person.expect("ag 12> ")
    person.type('(await given) + "!"\r')
    person.expect('"first!"')
    person.expect("ag 13> ")
    person.leave()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
