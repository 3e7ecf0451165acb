"""What neither jupyter_kernel_test nor more.py covers: mistakes, signals, headers, places of outputs, starts and ends.

The kernel is the installed `agentic`. Programs are only as large as each point needs.
"""

import os
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

    def test_silent_failures_are_only_in_the_reply(self):
        reply, shown = run(self.client, "1 / 0", silent=True)
        self.assertEqual((reply["status"], reply["ename"], shown), ("error", "R0102", []))

    def test_a_mistake_has_a_code_and_nothing_ran(self):
        reply, shown = run(self.client, 'print("ran")\nno_such_name')
        self.assertEqual(kinds(shown), ["execute_input", "error"])
        self.assertRegex(reply["ename"], "^E[0-9]{4}$")

    def test_sigint_stops_a_loop(self):
        run(self.client, "let kept := 41")
        message_id = self.client.execute(ENDLESS)
        time.sleep(0.3)
        self.manager.signal_kernel(signal.SIGINT)
        reply = reply_to(self.client.get_shell_msg, message_id)["content"]
        until_idle(self.client, message_id)
        self.assertEqual(reply["status"], "error")
        _, shown = run(self.client, "kept + 1")
        self.assertEqual(shown[-1]["content"]["data"]["text/plain"], "42")

    def test_an_interrupt_of_nothing_is_answered(self):
        self.assertEqual(control(self.client, "interrupt_request", {})["status"], "ok")
        self.assertEqual(run(self.client, "1")[0]["status"], "ok")

    def test_the_parent_header_comes_back_whole(self):
        message = self.client.session.msg("kernel_info_request", {})
        message["header"]["subshell_id"] = None
        message["header"]["ours"] = {"a": [1]}
        self.client.shell_channel.send(message)
        reply = reply_to(self.client.get_shell_msg, message["header"]["msg_id"])
        self.assertEqual(reply["parent_header"]["ours"], {"a": [1]})

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


class Life(unittest.TestCase):
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
