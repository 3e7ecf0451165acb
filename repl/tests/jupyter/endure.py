"""A kernel that is interrupted a thousand times, or whose cell never stops printing, goes on as before.

Nothing here measures time. What is bounded is memory: a cell that prints for ever must not grow the kernel for ever.
"""

import os
import signal
import time
import unittest

from client import ENDLESS, PATIENCE, control, execute, reply_to, run, start, text, until_idle

ROUNDS = 1000
MEGABYTE = 1024 * 1024


class Endure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()
        run(cls.client, "let kept := 41")
        run(cls.client, "agent Counter { state { n : Int = 0 }\n behavior next() -> Int { n += 1\n return n } }")
        run(cls.client, "let counter := @spawn(Counter)\nawait counter.next()")

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def alive(self):
        """Names, agents and the numbering are as they were."""
        self.assertEqual(text(run(self.client, "kept + 1")[1]), ["42"])
        first = int(text(run(self.client, "await counter.next()")[1])[0])
        self.assertEqual(text(run(self.client, "await counter.next()")[1]), [str(first + 1)])

    def pid(self):
        return self.manager.provisioner.process.pid

    def resident(self):
        with open(f"/proc/{self.pid()}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_interrupts_of_nothing_in_a_row(self):
        for _ in range(ROUNDS):
            self.assertEqual(control(self.client, "interrupt_request", {})["status"], "ok")
        self.alive()

    def test_signals_in_a_row_while_idle(self):
        for _ in range(ROUNDS):
            os.kill(self.pid(), signal.SIGINT)
        self.alive()

    def test_cells_interrupted_in_a_row(self):
        """Interrupts that come before, during and after each cell; a cell ends or is interrupted, never both."""
        for at in range(ROUNDS):
            message_id = execute(self.client, "@sleep(1h)" if at % 2 else ENDLESS, store_history=False)
            reply = None
            while reply is None:
                os.kill(self.pid(), signal.SIGINT)
                control(self.client, "interrupt_request", {})
                if self.client.shell_channel.msg_ready():
                    reply = reply_to(self.client.get_shell_msg, message_id)
            self.assertEqual(reply["content"]["status"], "error")
            until_idle(self.client, message_id)
        self.alive()

    def test_interrupted_agents_keep_their_state(self):
        code = "agent Slow { state { done : Int = 0 }\n behavior work() -> Int { done += 1\n @sleep(1h)\n return done } }"
        run(self.client, code + "\nlet slow := @spawn(Slow)")
        for _ in range(ROUNDS // 20):
            message_id = execute(self.client, "await slow.work()", store_history=False)
            time.sleep(0.01)
            self.manager.interrupt_kernel()
            self.assertEqual(reply_to(self.client.get_shell_msg, message_id)["content"]["status"], "error")
            until_idle(self.client, message_id)
        self.alive()

    def endless(self, code):
        before = self.resident()
        message_id = execute(self.client, code)
        # The output arrives while the cell runs, and the kernel keeps no more of it than is on its way.
        seen, peak = 0, 0
        while seen < 64 * MEGABYTE:
            message = reply_to(self.client.get_iopub_msg, message_id)
            seen += len(message["content"].get("text", ""))
            peak = max(peak, self.resident())
        self.manager.interrupt_kernel()
        self.assertEqual(reply_to(self.client.get_shell_msg, message_id)["content"]["status"], "error")
        until_idle(self.client, message_id)
        self.assertLess(peak - before, 512 * MEGABYTE)
        self.alive()

    def test_endless_output_can_be_stopped(self):
        self.endless('let line := "0123456789".repeat(100)\nwhile true { print(line) }')

    def test_endless_short_lines_can_be_stopped(self):
        self.endless('while true { print("0123456789") }')


if __name__ == "__main__":
    unittest.main(verbosity=2)
