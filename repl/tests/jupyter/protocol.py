"""What jupyter_kernel_test does not cover: silent, counting, user expressions, aborting, interrupts, bad messages, restarts.

The kernel is the installed `agentic`. Programs are only as large as each point needs.
"""

import os
import queue
import signal
import subprocess
import sys
import time
import unittest

from client import ENDLESS, NAME, PATIENCE, control, kinds, reply_to, run, start, until_idle
from jupyter_client.manager import KernelManager


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def test_every_request_is_between_busy_and_idle(self):
        message_id = self.client.execute("1")
        shown = until_idle(self.client, message_id)
        self.assertEqual(kinds(shown), ["status", "execute_input", "execute_result", "status"])
        self.assertEqual(shown[0]["content"]["execution_state"], "busy")
        reply_to(self.client.get_shell_msg, message_id)

    def test_silent_shows_and_counts_nothing(self):
        before, _ = run(self.client, "1")
        reply, shown = run(self.client, 'print("x")\n1', silent=True)
        self.assertEqual((reply["status"], shown), ("ok", []))
        after, _ = run(self.client, "1")
        self.assertEqual(after["execution_count"], before["execution_count"] + 1)

    def test_silent_failures_are_only_in_the_reply(self):
        reply, shown = run(self.client, "1 / 0", silent=True)
        self.assertEqual((reply["status"], reply["ename"], shown), ("error", "R0102", []))

    def test_store_history_false_counts_nothing(self):
        first, shown = run(self.client, "1", store_history=False)
        second, _ = run(self.client, "2", store_history=False)
        self.assertEqual(first["execution_count"], second["execution_count"])
        self.assertIn("execute_result", kinds(shown))

    def test_user_expressions_are_evaluated_one_by_one(self):
        run(self.client, "let expressed := 20")
        wanted = {"a": "expressed + 1", "b": "1 / 0", "c": "no_such_name"}
        reply, _ = run(self.client, "2", user_expressions=wanted)
        got = reply["user_expressions"]
        self.assertEqual(got["a"]["status"], "ok")
        self.assertEqual(got["a"]["data"]["text/plain"], "21")
        self.assertEqual((got["b"]["status"], got["b"]["ename"]), ("error", "R0102"))
        self.assertEqual(got["c"]["status"], "error")

    def test_a_failing_cell_shows_one_error(self):
        reply, shown = run(self.client, "1 / 0")
        self.assertEqual(kinds(shown), ["execute_input", "error"])
        for content in (reply, shown[1]["content"]):
            self.assertEqual(content["ename"], "R0102")
            self.assertTrue(content["traceback"])

    def test_a_mistake_has_a_code_and_nothing_ran(self):
        reply, shown = run(self.client, 'print("ran")\nno_such_name')
        self.assertEqual(kinds(shown), ["execute_input", "error"])
        self.assertRegex(reply["ename"], "^E[0-9]{4}$")

    def statuses(self, requests):
        """The status of each reply, in order; asked for before anything is awaited."""
        ids = [self.client.execute(code, **options) for code, options in requests]
        replies = [reply_to(self.client.get_shell_msg, message_id)["content"]["status"] for message_id in ids]
        for message_id in ids:
            until_idle(self.client, message_id)
        return replies

    def test_an_error_aborts_what_was_queued(self):
        queued = [("@sleep(300ms)", {}), ("1 / 0", {}), ("2", {}), ("3", {})]
        self.assertEqual(self.statuses(queued), ["ok", "error", "aborted", "aborted"])
        self.assertEqual(run(self.client, "4")[0]["status"], "ok")

    def test_stop_on_error_false_aborts_nothing(self):
        queued = [("@sleep(300ms)", {}), ("1 / 0", {"stop_on_error": False}), ("2", {})]
        self.assertEqual(self.statuses(queued), ["ok", "error", "ok"])

    def interrupted(self, interrupt, code):
        run(self.client, "let kept := 41")
        message_id = self.client.execute(code)
        time.sleep(0.3)
        interrupt()
        reply = reply_to(self.client.get_shell_msg, message_id)["content"]
        until_idle(self.client, message_id)
        self.assertEqual(reply["status"], "error")
        _, shown = run(self.client, "kept + 1")
        self.assertEqual(shown[-1]["content"]["data"]["text/plain"], "42")

    def test_an_interrupt_stops_a_loop(self):
        self.interrupted(self.manager.interrupt_kernel, ENDLESS)

    def test_an_interrupt_stops_a_wait(self):
        self.interrupted(self.manager.interrupt_kernel, "@sleep(1h)")

    def test_sigint_stops_a_loop(self):
        self.interrupted(lambda: self.manager.signal_kernel(signal.SIGINT), ENDLESS)

    def test_an_interrupt_of_nothing_is_answered(self):
        self.assertEqual(control(self.client, "interrupt_request", {})["status"], "ok")
        self.assertEqual(run(self.client, "1")[0]["status"], "ok")

    def test_control_answers_while_a_cell_runs(self):
        message_id = self.client.execute("@sleep(1h)")
        self.assertEqual(control(self.client, "kernel_info_request", {})["status"], "ok")
        self.manager.interrupt_kernel()
        reply_to(self.client.get_shell_msg, message_id)
        until_idle(self.client, message_id)

    def test_bad_signatures_are_dropped(self):
        good = self.client.session.key
        self.client.session.key = b"wrong"
        bad = self.client.execute("1")
        self.client.session.key = good
        _, shown = run(self.client, "1")
        self.assertTrue(shown)
        with self.assertRaises(queue.Empty):
            while True:
                message = self.client.get_shell_msg(timeout=0.2)
                self.assertNotEqual(message["parent_header"].get("msg_id"), bad)

    def test_missing_fields_and_unknown_kinds_do_no_harm(self):
        message = self.client.session.msg("execute_request", {"code": "7"})
        self.client.shell_channel.send(message)
        reply = reply_to(self.client.get_shell_msg, message["header"]["msg_id"])
        self.assertEqual(reply["content"]["status"], "ok")
        self.client.shell_channel.send(self.client.session.msg("bogus_request", {}))
        self.assertEqual(run(self.client, "1")[0]["status"], "ok")

    def test_the_parent_header_comes_back_whole(self):
        message = self.client.session.msg("kernel_info_request", {})
        message["header"]["subshell_id"] = None
        message["header"]["ours"] = {"a": [1]}
        self.client.shell_channel.send(message)
        reply = reply_to(self.client.get_shell_msg, message["header"]["msg_id"])
        self.assertEqual(reply["parent_header"]["ours"], {"a": [1]})

    def test_no_print_is_lost_and_few_messages_are_sent(self):
        _, shown = run(self.client, "for i in 0..5000 { print(i) }")
        streams = [message["content"]["text"] for message in shown if message["msg_type"] == "stream"]
        self.assertEqual("".join(streams), "".join(f"{i}\n" for i in range(5000)))
        self.assertLess(len(streams), 1000)

    def test_prints_keep_their_place_among_other_outputs(self):
        _, shown = run(self.client, 'print("a")\n:cost\nprint("b")\neprint("c")\n2')
        wanted = ["execute_input", "stream", "display_data", "stream", "stream", "execute_result"]
        self.assertEqual(kinds(shown), wanted)

    def test_positions_are_characters(self):
        code = 'let s := "\N{GRINNING FACE}\N{GRINNING FACE}"; pri'
        message_id = self.client.complete(code, len(code))
        content = reply_to(self.client.get_shell_msg, message_id)["content"]
        self.assertIn("print", content["matches"])
        self.assertEqual((content["cursor_start"], content["cursor_end"]), (len(code) - 3, len(code)))
        first = content["metadata"]["_jupyter_types_experimental"][0]
        self.assertEqual((first["start"], first["end"]), (len(code) - 3, len(code)))

    def test_an_unknown_comm_is_closed(self):
        message = self.client.session.msg("comm_open", {"comm_id": "c", "target_name": "nope", "data": {}})
        self.client.shell_channel.send(message)
        shown = until_idle(self.client, message["header"]["msg_id"])
        self.assertIn("comm_close", kinds(shown))

    def test_a_print_of_megabytes_arrives(self):
        _, shown = run(self.client, 'print("x".repeat(4_000_000))')
        size = sum(len(message["content"]["text"]) for message in shown if message["msg_type"] == "stream")
        self.assertEqual(size, 4_000_001)


class Life(unittest.TestCase):
    def test_a_restart_forgets_names_and_numbers(self):
        manager, client = start()
        try:
            run(client, "let a := 1")
            manager.restart_kernel(now=False)
            client.wait_for_ready(timeout=PATIENCE)
            reply, _ = run(client, "1")
            self.assertEqual(reply["execution_count"], 1)
            self.assertEqual(run(client, "a")[0]["status"], "error")
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def test_a_shutdown_is_answered_and_the_process_ends(self):
        manager, client = start()
        process = manager.provisioner.process
        try:
            busy = client.execute(ENDLESS)
            self.assertEqual(control(client, "shutdown_request", {"restart": False})["status"], "ok")
            self.assertEqual(process.wait(timeout=PATIENCE), 0)
            del busy
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def test_no_start_loses_its_first_idle(self):
        for _ in range(8):
            manager = KernelManager(kernel_name=NAME)
            manager.start_kernel()
            client = manager.blocking_client()
            client.start_channels()
            try:
                # Without waiting for anything: this is the race that hangs a front end.
                message_id = client.execute("1")
                self.assertIn("execute_result", kinds(until_idle(client, message_id)))
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)

    def test_the_kernel_leaves_with_its_parent(self):
        program = (
            "import sys\nfrom jupyter_client.manager import KernelManager\n"
            f"m = KernelManager(kernel_name={NAME!r}); m.start_kernel()\n"
            "print(m.provisioner.process.pid, flush=True); sys.stdin.read()\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        kernel = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()
        until = time.monotonic() + PATIENCE
        while alive(kernel) and time.monotonic() < until:
            time.sleep(0.1)
        self.assertFalse(alive(kernel), "the kernel outlived its parent")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that ended but was not waited for still answers a signal.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


if __name__ == "__main__":
    unittest.main(verbosity=2)
