"""What a program shows by itself, under a real client: displays and their updates, progress, media, clearing, questions.

The kernel is the installed `agentic`. Nothing here measures time; what must come late is waited for.
"""

import os
import sys
import time
import unittest

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

NAME = "agentic"
# Long enough that only a hang reaches it.
PATIENCE = 60


def start():
    manager = KernelManager(kernel_name=NAME)
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    return manager, client


def reply_to(get, message_id):
    while True:
        message = get(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") == message_id:
            return message


def run(client, code, **options):
    """The reply's content, and what the cell showed without the status messages around it."""
    message_id = client.execute(code, **options)
    shown = until_idle(client, message_id)
    reply = reply_to(client.get_shell_msg, message_id)
    return reply["content"], [message for message in shown if message["msg_type"] != "status"]


def until_idle(client, message_id):
    shown = []
    while True:
        message = reply_to(client.get_iopub_msg, message_id)
        shown.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return shown


def kinds(messages):
    return [message["msg_type"] for message in messages if message["msg_type"] != "execute_input"]


def displayed(messages):
    return [message for message in messages if message["msg_type"] in ("display_data", "update_display_data")]


def identity(message):
    return message["content"]["transient"]["display_id"]


def plain(message):
    return message["content"]["data"]["text/plain"]


def printed(messages):
    return "".join(message["content"]["text"] for message in messages if message["msg_type"] == "stream")


class Displays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def run_ok(self, code, **options):
        reply, shown = run(self.client, code, **options)
        self.assertEqual(reply["status"], "ok", reply)
        return shown

    def test_an_update_replaces_what_its_handle_displayed(self):
        shown = self.run_ok("let d := display(1)\nfor n in 2..=6 { d.update(n) }")
        self.assertEqual(kinds(shown), ["display_data"] + ["update_display_data"] * 5)
        self.assertEqual(len({identity(message) for message in displayed(shown)}), 1)
        self.assertEqual([plain(message) for message in displayed(shown)], ["1", "2", "3", "4", "5", "6"])
        later = self.run_ok('d.update("later")')
        self.assertEqual([identity(message) for message in displayed(later)], [identity(displayed(shown)[0])])

    def test_the_handle_itself_is_no_result(self):
        self.assertEqual(kinds(self.run_ok("display([1, 2])")), ["display_data"])
        self.assertEqual(kinds(self.run_ok("_.update(3)")), ["update_display_data"])

    def test_identities_are_unique(self):
        shown = self.run_ok('display(1)\ndisplay(1)\nlet p := progress(2)\ndisplay(html("x"))')
        names = [identity(message) for message in displayed(shown)]
        self.assertEqual(len(set(names)), 4, names)
        manager, client = start()
        try:
            _, other = run(client, "display(1)\ndisplay(1)")
            self.assertFalse(set(names) & {identity(message) for message in displayed(other)})
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def test_media_has_one_rich_form(self):
        cells = {
            "text/html": 'html("<b>${"<x>"}</b>")',
            "image/svg+xml": 'svg("<svg><text>${"a & b"}</text></svg>")',
            "text/markdown": 'markdown("**x** ${"*y*"}")',
            "text/latex": 'latex("x^2")',
            "application/vnd.vegalite.v5+json": 'vega({ mark: "bar", data: { values: [{ x: 1 }] } })',
        }
        contents = {
            "text/html": "<b>&lt;x&gt;</b>",
            "image/svg+xml": "<svg><text>a &amp; b</text></svg>",
            "text/markdown": "**x** \\*y\\*",
            "text/latex": "$$\nx^2\n$$",
        }
        for mime, code in cells.items():
            shown = self.run_ok(code)
            self.assertEqual(kinds(shown), ["execute_result"])
            data = shown[-1]["content"]["data"]
            # A drawing has a PNG for those who do not trust it.
            drawn = ["image/png"] if mime == "image/svg+xml" else []
            self.assertEqual(sorted(data), sorted([mime, *drawn, "text/plain", "application/vnd.ag.media+json"]))
            self.assertEqual(data[mime], contents.get(mime, data[mime]))
            shown = self.run_ok(f"display({code})")
            self.assertEqual(displayed(shown)[0]["content"]["data"][mime], data[mime])
        self.assertEqual(data["application/vnd.vegalite.v5+json"]["data"], {"values": [{"x": 1}]})

    def test_media_inside_a_list_is_text(self):
        shown = self.run_ok('[html("<b>x</b>")]')
        self.assertEqual(plain(shown[-1]), '[html("<b>x</b>")]')
        self.assertNotIn("text/html", shown[-1]["content"]["data"])

    def test_progress_is_held_back_but_its_last_state_comes(self):
        shown = displayed(self.run_ok('let p := progress(100_000, "runs")\nfor n in 0..100_000 { p.advance() }'))
        self.assertEqual(kinds(shown[:1]), ["display_data"])
        self.assertLess(len(shown), 5_000)
        self.assertEqual(plain(shown[-1]), "runs: 100000 of 100000")
        dones = [message["content"]["data"]["application/vnd.ag.progress+json"]["done"] for message in shown]
        self.assertEqual(dones, sorted(dones))

    def test_an_unfinished_bar_shows_where_it_stopped(self):
        for code in ["for n in 0..7 { p.advance() }", "p.advance(7)\n1 / 0"]:
            _, shown = run(self.client, "let p := progress(10)\n" + code)
            self.assertEqual(plain(displayed(shown)[-1]), "progress: 7 of 10")

    def test_a_bar_that_rests_shows_its_state_while_the_cell_goes_on(self):
        message_id = self.client.execute("let p := progress(10)\np.advance(2)\np.advance(3)\nvar i := 0\nwhile true { i += 1 }")
        while True:
            message = reply_to(self.client.get_iopub_msg, message_id)
            if message["msg_type"] == "update_display_data" and plain(message) == "progress: 5 of 10":
                break
        self.manager.interrupt_kernel()
        until_idle(self.client, message_id)
        self.assertEqual(reply_to(self.client.get_shell_msg, message_id)["content"]["status"], "error")

    def test_clearing(self):
        shown = self.run_ok('print("a")\nclear_output()\nprint("b")\nclear_output(wait: true)')
        self.assertEqual(kinds(shown), ["stream", "clear_output", "stream", "clear_output"])
        waits = [message["content"]["wait"] for message in shown if message["msg_type"] == "clear_output"]
        self.assertEqual(waits, [False, True])

    def test_an_agent_updates_what_an_earlier_cell_displayed(self):
        self.run_ok(
            "agent Teller(d : Display) {\n  behavior tell(n : Int) -> Int {\n    d.update(n)\n    return n\n  }\n}"
        )
        first = self.run_ok("let shown := display(0)\nlet teller := @spawn(Teller, shown)")
        later = self.run_ok("await teller.tell(7)")
        self.assertEqual(kinds(later), ["update_display_data", "execute_result"])
        self.assertEqual(identity(displayed(later)[0]), identity(displayed(first)[0]))

    def test_an_update_after_its_cell_ended_is_seen_by_the_running_cell(self):
        """nbclient follows the running cell only."""
        self.run_ok(
            "agent Late(d : Display) {\n  behavior tell(n : Int) {\n    @sleep(300ms)\n    d.update(n)\n  }\n}\n"
            "let slow := display(0)\nlet late := @spawn(Late, slow)"
        )
        self.run_ok("let pending := late.tell(8)")
        shown = self.run_ok("await pending")
        self.assertIn("8", [plain(message) for message in displayed(shown)])


class Questions(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = start()

    def tearDown(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def asked(self):
        message = self.client.get_stdin_msg(timeout=PATIENCE)
        self.assertEqual(message["msg_type"], "input_request")
        return message

    def ended(self, message_id):
        shown = until_idle(self.client, message_id)
        return reply_to(self.client.get_shell_msg, message_id)["content"], shown

    def test_an_answer_is_the_value(self):
        message_id = self.client.execute('print("before")\nlet name := input("name: ")\nprint("hi $name")', allow_stdin=True)
        question = self.asked()
        self.assertEqual(question["content"], {"prompt": "name: ", "password": False})
        self.assertEqual(question["parent_header"]["msg_id"], message_id)
        self.client.input("bob")
        reply, shown = self.ended(message_id)
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(printed(shown), "before\nhi bob\n")

    def test_what_was_printed_is_shown_before_the_question(self):
        message_id = self.client.execute('print("read this")\ninput()', allow_stdin=True)
        self.asked()
        while reply_to(self.client.get_iopub_msg, message_id)["msg_type"] != "stream":
            pass
        self.client.input("")
        self.assertEqual(self.ended(message_id)[0]["status"], "ok")

    def test_a_front_end_that_cannot_be_asked_is_a_fault(self):
        reply, _ = run(self.client, 'input("name: ")', allow_stdin=False)
        self.assertEqual((reply["status"], reply["ename"]), ("error", "R0702"))
        self.assertIn("allow_stdin", reply["evalue"])
        reply, shown = run(self.client, '(try input("name: ")).is_err', allow_stdin=False)
        self.assertEqual((reply["status"], plain(shown[-1])), ("ok", "true"))

    def test_an_interrupt_takes_the_question_back(self):
        message_id = self.client.execute('input("never: ")', allow_stdin=True)
        given_up = self.asked()
        self.manager.interrupt_kernel()
        self.assertEqual(self.ended(message_id)[0]["status"], "error")
        # An answer that comes too late is none to the next question.
        late = self.client.session.msg("input_reply", {"value": "late"}, parent=given_up["header"])
        self.client.stdin_channel.send(late)
        message_id = self.client.execute('input("now: ")', allow_stdin=True)
        self.assertEqual(self.asked()["content"]["prompt"], "now: ")
        self.client.input("good")
        reply, shown = self.ended(message_id)
        self.assertEqual(plain(shown[-2]), '"good"', reply)

    def test_two_agents_ask_one_after_the_other(self):
        run(
            self.client,
            "agent Asker(name : Text) {\n  behavior ask() -> Text {\n    let given := input(name)\n    return \"$name=$given\"\n  }\n}\n"
            'let a := @spawn(Asker, "a")\nlet b := @spawn(Asker, "b")',
        )
        message_id = self.client.execute("let x := a.ask()\nlet y := b.ask()\n[await x, await y]", allow_stdin=True)
        answers = {}
        for answer in ["first", "second"]:
            answers[self.asked()["content"]["prompt"]] = answer
            self.client.input(answer)
        reply, shown = self.ended(message_id)
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(plain(shown[-2]), f'["a={answers["a"]}", "b={answers["b"]}"]')

    def test_waiting_for_a_person_does_not_count_as_time(self):
        """L-96: also in an agent that is asked inside the block; what comes after the answer counts."""
        run(self.client, "agent Asker {\n  behavior ask() -> Text { return input() }\n}\nlet asker := @spawn(Asker)")
        for ask in ["input()", "await asker.ask()"]:
            message_id = self.client.execute(f"@with_time_limit(200ms) {{ {ask} }}", allow_stdin=True)
            self.asked()
            time.sleep(1)
            self.client.input("slow")
            reply, shown = self.ended(message_id)
            self.assertEqual((reply["status"], plain(shown[-2])), ("ok", '"slow"'))
        message_id = self.client.execute("@with_time_limit(200ms) {\n  let x := input()\n  while true { }\n}", allow_stdin=True)
        self.asked()
        self.client.input("x")
        self.assertEqual(self.ended(message_id)[0]["ename"], "R0602")

    def test_an_answer_to_another_question_is_none(self):
        message_id = self.client.execute("input()", allow_stdin=True)
        question = self.asked()
        for parent, value in [({"msg_id": "someone-else"}, "wrong"), (question["header"], "right")]:
            message = self.client.session.msg("input_reply", {"value": value, "status": "ok"}, parent=parent)
            self.client.stdin_channel.send(message)
        _, shown = self.ended(message_id)
        self.assertEqual(plain(shown[-2]), '"right"')

    def test_other_agents_go_on_while_one_waits_for_a_person(self):
        """The question holds no worker: more of them than there are workers, and work is still done."""
        run(
            self.client,
            "agent Asker {\n  behavior ask() -> Text { return input() }\n}\n"
            "agent Counter {\n  behavior count(n : Int) -> Int { return n + 1 }\n}\n"
            "let askers := (0..64).map(n => @spawn(Asker))\nlet counter := @spawn(Counter)",
        )
        code = "let waiting := askers.map(a => a.ask())\nprint(await counter.count(41))\nwaiting.map(w => await w).len"
        message_id = self.client.execute(code, allow_stdin=True)
        while True:
            message = reply_to(self.client.get_iopub_msg, message_id)
            if message["msg_type"] == "stream":
                self.assertEqual(message["content"]["text"], "42\n")
                break
        for _ in range(64):
            self.asked()
            self.client.input("x")
        _, shown = self.ended(message_id)
        self.assertEqual(plain(shown[-2]), "64")


class Saved(unittest.TestCase):
    def test_a_saved_notebook_has_the_last_state(self):
        cells = [
            'let d := display("first")\nlet p := progress(3)\np.advance(3)',
            'd.update(html("<b>second</b>"))\nprint("gone")\nclear_output()\nprint("stays")',
            "agent Late(d : Display) {\n  behavior tell(n : Int) {\n    @sleep(300ms)\n    d.update(n)\n  }\n}\n"
            "let e := display(0)\nlet late := @spawn(Late, e)\nlet pending := late.tell(1)",
            "await pending",
        ]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        NotebookClient(notebook, kernel_name=NAME, timeout=PATIENCE, resources={"metadata": {"path": os.getcwd()}}).execute()
        nbformat.validate(notebook)
        outputs = [cell.outputs for cell in notebook.cells]
        self.assertEqual(outputs[0][0].data["text/html"], "<b>second</b>")
        self.assertEqual(outputs[0][1].data["text/plain"], "progress: 3 of 3")
        self.assertEqual(len(outputs[0]), 2)
        self.assertEqual([output.text for output in outputs[1]], ["stays\n"])
        self.assertEqual(outputs[2][0].data["text/plain"], "1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
