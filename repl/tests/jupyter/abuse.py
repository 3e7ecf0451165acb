"""Live panels, reply metadata, bad messages, floods, and several processes on one home."""

import json
import os
import subprocess
import sys
import threading
import unittest

import zmq
from client import PATIENCE, control, execute, kinds, reply_to, request, run, start, text, until_idle

AG = sys.argv.pop(1)
SCALE = int(os.environ.get("AG_TEST_SCALE", "1"))


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def alive(self):
        _, shown = run(self.client, "6 * 7")
        self.assertEqual(text(shown), ["42"])


class Live(Kernel):
    def open(self, comm, data, target="ag.live"):
        content = {"comm_id": comm, "target_name": target, "data": data}
        return request(self.client, "comm_open", content)

    def told(self, comm):
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == comm:
                return message["content"]["data"]

    def comms(self, **content):
        return reply_to(self.client.get_shell_msg, request(self.client, "comm_info_request", content))["content"]["comms"]

    def test_a_panel_is_told_what_changes(self):
        self.open("p1", {})
        self.assertEqual(set(self.told("p1")), {"agents", "ledger", "trace"})
        self.assertEqual(self.comms()["p1"]["target_name"], "ag.live")
        self.assertEqual(self.comms(target_name="other"), {})
        self.client.execute("agent Walker { behavior step() -> Int { return 1 } }\nlet walker := @spawn(Walker)")
        while True:
            agents = self.told("p1").get("agents", {"agents": []})["agents"]
            if "Walker" in json.dumps(agents):
                break
        request(self.client, "comm_close", {"comm_id": "p1", "data": {}})
        self.assertNotIn("p1", self.comms())

    def test_while_a_cell_runs_it_is_answered(self):
        run(self.client, ":lane echo")
        main = execute(self.client, '@llm_call("hello")\n@sleep(1h)')
        self.open("p2", {"topics": ["ledger"]})
        while self.told("p2")["ledger"]["total_micro_usd"] == 0:
            pass
        request(self.client, "comm_msg", {"comm_id": "p2", "data": {"get": ["trace", "agents"]}})
        self.assertEqual(set(self.told("p2")), {"trace", "agents"})
        self.manager.interrupt_kernel()
        reply = reply_to(self.client.get_shell_msg, main)
        self.assertEqual(reply["content"]["status"], "error")
        facts = reply["metadata"]["ag"]
        self.assertEqual((facts["lane_calls"], facts["lanes"], facts["tier"]), (1, ["echo"], "Interp"))
        self.assertGreater(facts["cost_micro_usd"], 0)

    def test_what_it_does_not_understand_does_no_harm(self):
        for data in (None, [], "x", {"topics": 5}, {"topics": [5, None, "nope"]}, {"get": {"a": 1}}):
            self.open("p3", data)
            for message in ({"comm_id": "p3", "data": data}, {"comm_id": 5}, {}, {"comm_id": "none", "data": data}):
                request(self.client, "comm_msg", message)
        for content in ({}, {"comm_id": None}, {"comm_id": "x", "target_name": 7}, {"target_name": "ag.live"}):
            message_id = request(self.client, "comm_open", content)
            self.assertIn("comm_close", kinds(until_idle(self.client, message_id)))
            request(self.client, "comm_close", content)
        request(self.client, "comm_close", {"comm_id": "p3"})
        self.alive()

    def test_the_reply_tells_where_time_went(self):
        message_id = execute(self.client, "let n := 1")
        facts = reply_to(self.client.get_shell_msg, message_id)["metadata"]["ag"]
        until_idle(self.client, message_id)
        self.assertEqual((facts["tier"], facts["lane_calls"], facts["cost_micro_usd"]), ("Interp", 0, 0))
        self.assertTrue(all(facts[key] > 0 for key in ("check_ms", "compile_ms", "run_ms")))
        message_id = execute(self.client, "no_such_name")
        facts = reply_to(self.client.get_shell_msg, message_id)["metadata"]["ag"]
        until_idle(self.client, message_id)
        self.assertEqual((facts["tier"], facts["run_ms"]), (None, 0))


class Abuse(Kernel):
    def raw(self, frames, port=None):
        """Frames as a stranger sends them, without a client's care."""
        info = self.client.get_connection_info()
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.linger = 1000
        socket.connect(f"tcp://{info['ip']}:{port or info['shell_port']}")
        socket.send_multipart(frames)
        return socket

    def signed(self, *parts):
        return [b"<IDS|MSG>", self.client.session.sign(list(parts)), *parts]

    def header(self, kind="execute_request"):
        return json.dumps(self.client.session.msg_header(kind), default=str).encode()

    def test_frames_that_are_no_messages(self):
        empty = b"{}"
        bad = [
            [b""], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"x"], [b"\xff" * 100], [b"<IDS|MSG>"] * 9,
            self.signed(b"\xff\xfe", empty, empty, empty), self.signed(b"[]", empty, empty, empty),
            self.signed(b"{}", empty, empty, empty), self.signed(self.header(), empty, empty),
            self.signed(self.header(), b"no", b"json", b"at all"), self.signed(self.header(), empty, empty, b"[1, 2]"),
            self.signed(self.header(), b"null", b"null", b"null"), self.signed(self.header("\0"), empty, empty, empty),
            [b"<IDS|MSG>", b"zz", self.header(), empty, empty, empty], self.signed(b"[" * 100_000, empty, empty, empty),
            self.signed(b"\x00" * 20_000_000, empty, empty, empty),
        ]
        info = self.client.get_connection_info()
        for port in ("shell_port", "control_port", "stdin_port"):
            for frames in bad:
                self.raw(frames, info[port]).close()
        self.alive()

    def test_content_that_cannot_be_read_is_an_error(self):
        for content in (b'{"code":"\xff\xfe"}', b"[1, 2]", b"null", b"at all"):
            header = self.header()
            socket = self.raw(self.signed(header, b"{}", b"{}", content))
            message_id = json.loads(header)["msg_id"]
            until_idle(self.client, message_id)
            frames = socket.recv_multipart()
            reply = json.loads(frames[frames.index(b"<IDS|MSG>") + 5])
            self.assertEqual((reply["status"], reply["ename"]), ("error", "E0012"), content)
            socket.close()
        self.alive()

    def test_content_of_other_types(self):
        wrong = [None, 5, [], {}, True, "x", -1, 1e300, {"a": []}]
        for kind, keys in (
            ("execute_request", ["code", "silent", "store_history", "user_expressions", "stop_on_error", "allow_stdin"]),
            ("complete_request", ["code", "cursor_pos"]),
            ("inspect_request", ["code", "cursor_pos", "detail_level"]),
            ("is_complete_request", ["code"]),
            ("history_request", ["hist_access_type", "n", "session", "start", "stop", "pattern", "unique"]),
            ("comm_info_request", ["target_name"]),
        ):
            for value in wrong:
                message_id = request(self.client, kind, dict.fromkeys(keys, value))
                reply = reply_to(self.client.get_shell_msg, message_id)
                content = reply["content"]
                if "code" in keys and not isinstance(value, str):
                    self.assertEqual((content["status"], content["ename"]), ("error", "E0012"), (kind, value))
                else:
                    self.assertIn(content["status"], ("ok", "error", "complete", "incomplete", "invalid"))
                until_idle(self.client, message_id)
            reply_to(self.client.get_shell_msg, request(self.client, kind, {}))
        for metadata in ({"cellId": 5}, {"deletedCells": "x"}, {"cellId": [], "deletedCells": [None]}):
            message_id = execute(self.client, "1", metadata=metadata)
            self.assertEqual(reply_to(self.client.get_shell_msg, message_id)["content"]["status"], "ok")
        for kind in ("interrupt_request", "delete_subshell_request", "list_subshell_request"):
            self.assertIn(control(self.client, kind, {"subshell_id": 5})["status"], ("ok", "error"))
        self.alive()

    def test_bad_signatures_are_dropped_and_the_kernel_lives(self):
        key = self.client.session.key
        self.client.session.key = b"wrong"
        bad = {execute(self.client, "1") for _ in range(100)}
        self.client.session.key = key
        good = execute(self.client, "2")
        while True:
            answered = self.client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"]
            self.assertNotIn(answered, bad)
            if answered == good:
                break
        self.alive()

    def test_thousands_of_cells(self):
        count = 5000 if SCALE > 1 else 500
        ids = [execute(self.client, "1", silent=True, store_history=False) for _ in range(count)]
        got = [self.client.get_shell_msg(timeout=PATIENCE) for _ in ids]
        self.assertEqual([m["parent_header"]["msg_id"] for m in got], ids)
        self.assertTrue(all(m["content"]["status"] == "ok" for m in got))
        self.alive()

    def test_thousands_of_questions(self):
        count = 10_000 if SCALE > 1 else 1000
        ids = {request(self.client, "kernel_info_request", {}) for _ in range(count)}
        while ids:
            ids.discard(self.client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"])
        self.alive()

    def test_many_connections(self):
        info = self.client.get_connection_info()
        sockets = [self.raw([b"x"], info["shell_port"]) for _ in range(100)]
        subscribers = []
        for _ in range(50):
            socket = zmq.Context.instance().socket(zmq.SUB)
            socket.linger = 0
            socket.subscribe(b"")
            socket.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
            subscribers.append(socket)
        self.alive()
        for socket in sockets + subscribers:
            socket.close()
        self.alive()


    def test_a_client_that_does_not_read_holds_nobody_up(self):
        info = self.client.get_connection_info()
        stuck = zmq.Context.instance().socket(zmq.SUB)
        stuck.linger = 0
        stuck.rcvhwm = 1
        stuck.subscribe(b"")
        stuck.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
        # Its subscription has come when it was welcomed; from then on it never reads again.
        self.assertTrue(stuck.poll(PATIENCE * 1000))
        reply, shown = run(self.client, 'var line := "0123456789"\nfor i in 0..20 { line = line + line }\nfor i in 0..4 { print(line) }')
        self.assertEqual(reply["status"], "ok")
        said = "".join(m["content"]["text"] for m in shown if m["msg_type"] == "stream")
        self.assertEqual(said, ("0123456789" * 2**20 + "\n") * 4)
        self.alive()
        stuck.close()


SPENDER = """agent Spender {
  cost_policy { quota : { daily : $0.05, on_exceed : stop } }
  behavior spend() -> Text { return @llm_call(provider: echo, prompt: "one home") }
}
let spender := @spawn(Spender)"""
SPEND = "await spender.spend()"
ROUNDS = 20


def part(name):
    """What each process does: names its cells, spends of one quota, and remembers in one store."""
    yield SPENDER
    for at in range(ROUNDS):
        yield f'"{name} number {at}"'
        yield SPEND
        yield f'@remember(Episode {{ context: "{name} saw the heron {at}", action: "wrote" }});'


class OneHome(unittest.TestCase):
    def test_two_kernels_and_a_terminal_lose_nothing(self):
        """They share the history, the ledger and the memory; each does its part at the same time."""
        kernels = [start(), start()]
        names = ["first", "second"]
        failures = []

        def work(name, client):
            for cell in part(name):
                reply, _ = run(client, cell)
                if reply["status"] != "ok":
                    failures.append((name, cell, reply))

        def terminal():
            done = subprocess.run([AG], input="\n".join(part("terminal")) + "\n", capture_output=True, text=True, timeout=PATIENCE)
            if done.returncode != 0 or "error[" in done.stdout + done.stderr:
                failures.append(("terminal", done.stdout, done.stderr))

        threads = [threading.Thread(target=work, args=(n, k[1])) for n, k in zip(names, kernels)]
        threads.append(threading.Thread(target=terminal))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for manager, client in kernels:
            client.stop_channels()
            manager.shutdown_kernel(now=False)
        self.assertEqual(failures, [])
        self.check_history(names)
        self.check_ledger()

    def check_history(self, names):
        manager, client = start()
        try:
            asked = client.history(hist_access_type="search", pattern="*number*", n=1000)
            entries = reply_to(client.get_shell_msg, asked)["content"]["history"]
            inputs = [entry[2] for entry in entries]
            for name in names:
                for at in range(ROUNDS):
                    self.assertEqual(inputs.count(f'"{name} number {at}"'), 1, (name, at))
            _, shown = run(client, '@recall(query: "saw the heron", limit: 1000).len')
            self.assertEqual(text(shown), [str(3 * ROUNDS)])
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def check_ledger(self):
        """Every call of the three is in the one journal, settled once, under its own number."""
        with open(os.path.join(os.environ["AG_HOME"], "ledger.jsonl")) as journal:
            records = [json.loads(line.split(" ", 1)[1]) for line in journal]
        ours = {r["n"] for r in records if r["op"] == "reserve" and r["agent"] == "Spender"}
        settled = [r for r in records if r["op"] == "settle" and r["of"] in ours]
        self.assertEqual(len(settled), 3 * ROUNDS)
        self.assertEqual(len({r["of"] for r in settled}), 3 * ROUNDS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
