"""Cells, completion and inspection while a cell runs (JEP 91, L-159).

A main cell that never ends stands for one that runs long: whatever is answered was not waiting for it.
"""

import unittest

from client import PATIENCE, control, execute, kinds, reply_to, request, run, start, text, until_idle

FOREVER = "@sleep(1h)"


class Subshells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()
        run(cls.client, "var total := 10\nfunction twice(n : Int) -> Int { return n * 2 }")

    @classmethod
    def tearDownClass(cls):
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def create(self):
        return control(self.client, "create_subshell_request", {})["subshell_id"]

    def beside(self, code, subshell=None, **options):
        """A cell on a subshell: its reply, and what it showed."""
        message_id = execute(self.client, code, subshell or self.create(), **options)
        reply = reply_to(self.client.get_shell_msg, message_id)
        shown = until_idle(self.client, message_id)
        return reply, [m for m in shown if m["msg_type"] != "status"]

    def while_busy(self, body, code=FOREVER, since="execute_input"):
        main = execute(self.client, code)
        self.wait_for(main, since)
        try:
            return body()
        finally:
            self.manager.interrupt_kernel()
            until_idle(self.client, main)

    def wait_for(self, message_id, kind):
        while reply_to(self.client.get_iopub_msg, message_id)["msg_type"] != kind:
            pass

    def test_they_are_advertised_listed_and_deleted(self):
        info = control(self.client, "kernel_info_request", {})
        self.assertIn("kernel subshells", info["supported_features"])
        ids = [self.create(), self.create()]
        listed = control(self.client, "list_subshell_request", {})["subshell_id"]
        self.assertLessEqual(set(ids), set(listed))
        for subshell in ids:
            self.assertEqual(control(self.client, "delete_subshell_request", {"subshell_id": subshell})["status"], "ok")
        listed = control(self.client, "list_subshell_request", {})["subshell_id"]
        self.assertFalse(set(ids) & set(listed))
        again = control(self.client, "delete_subshell_request", {"subshell_id": ids[0]})
        self.assertEqual(again["status"], "error")
        reply, shown = self.beside("1", ids[0])
        self.assertEqual((reply["content"]["status"], shown), ("error", []))

    def test_a_cell_is_answered_while_the_main_one_runs(self):
        subshell = self.create()
        reply, shown = self.while_busy(lambda: self.beside("twice(total) + 1", subshell))
        self.assertEqual(reply["content"]["status"], "ok")
        self.assertEqual(reply["parent_header"]["subshell_id"], subshell)
        self.assertEqual(kinds(shown), ["execute_input", "execute_result"])
        self.assertEqual(text(shown), ["21"])

    def test_it_sees_what_has_a_value_and_not_what_will(self):
        run(self.client, 'let later := "before"')
        subshell = self.create()

        def look():
            return [self.beside(name, subshell) for name in ("early + 1", "later", "never")]

        early, later, never = self.while_busy(
            look, 'let early := 1\nprint("reached")\n@sleep(1h)\nlet later := 5\nlet never := 6', "stream"
        )
        self.assertEqual(text(early[1]), ["2"])
        self.assertEqual(text(later[1]), ['"before"'])
        self.assertEqual(never[0]["content"]["ename"], "E0201")

    def test_it_sees_values_as_of_its_start(self):
        subshell = self.create()
        run(self.client, "var n := 1")
        beside = execute(self.client, 'print("started")\n@sleep(1s)\nn', subshell)
        self.wait_for(beside, "stream")
        changed = execute(self.client, "n = 2\nn")
        shown = {beside: [], changed: []}
        while any(kinds(m)[-1:] != ["status"] for m in shown.values()):
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") in shown:
                idle = message["content"].get("execution_state") == "idle"
                if message["msg_type"] != "status" or idle:
                    shown[message["parent_header"]["msg_id"]].append(message)
        self.assertEqual((text(shown[changed]), text(shown[beside])), (["2"], ["1"]))

    def test_it_changes_nothing(self):
        for code in (
            "let a := 1", "var b := 1", "c := 1", "total = 1", "total += 1", "if true { total = 2 }", "bump()",
            "function f() { }", "struct S { a : Int }", ":reset", ":set cost_line off", ":budget $1", ":lane echo",
        ):
            with self.subTest(code):
                run(self.client, "function bump() { total = 3 }")
                reply, shown = self.beside(code)
                self.assertEqual(reply["content"]["ename"], "E0904")
                self.assertEqual(kinds(shown), ["execute_input", "error"])
        _, shown = run(self.client, "total")
        self.assertEqual(text(shown), ["10"])

    def test_it_may_read_compute_print_and_ask_agents(self):
        run(self.client, "agent Adder { behavior add(n : Int) -> Int { return n + total } }\nlet adder := @spawn(Adder)")
        subshell = self.create()

        def ask():
            return self.beside('print("hi")\n:agents\n:trace\n:cost\n:set\nawait adder.add(5)', subshell)

        reply, shown = self.while_busy(ask)
        self.assertEqual(reply["content"]["status"], "ok", reply["content"])
        self.assertIn("stream", kinds(shown))
        self.assertIn("Adder", "".join(text(shown)))
        self.assertEqual(text(shown)[-1], "15")

    def test_it_takes_a_number_and_enters_the_history(self):
        before, _ = run(self.client, "1")
        reply, _ = self.beside("40 + 2")
        self.assertEqual(reply["content"]["execution_count"], before["execution_count"] + 1)
        after, _ = run(self.client, "1")
        self.assertEqual(after["execution_count"], before["execution_count"] + 2)
        asked = self.client.history(hist_access_type="tail", n=3)
        entries = reply_to(self.client.get_shell_msg, asked)["content"]["history"]
        self.assertEqual([entry[2] for entry in entries], ["1", "40 + 2", "1"])

    def test_each_has_its_own_queue(self):
        first, second = self.create(), self.create()
        endless = execute(self.client, FOREVER, first)
        behind = execute(self.client, "1", first)
        reply, _ = self.beside("2", second)
        self.assertEqual(reply["content"]["status"], "ok")
        # Deleting one ends what runs in it, and answers what waited there.
        control(self.client, "delete_subshell_request", {"subshell_id": first})
        self.assertEqual(reply_to(self.client.get_shell_msg, endless)["content"]["ename"], "R0602")
        self.assertEqual(reply_to(self.client.get_shell_msg, behind)["content"]["status"], "aborted")

    def test_an_interrupt_stops_all_and_leaves_them_usable(self):
        subshell = self.create()

        def both():
            message_id = execute(self.client, "while true { }", subshell)
            self.wait_for(message_id, "execute_input")
            self.manager.interrupt_kernel()
            return reply_to(self.client.get_shell_msg, message_id)["content"]

        self.assertEqual(self.while_busy(both)["ename"], "R0602")
        self.assertEqual(text(self.beside("total", subshell)[1]), ["10"])

    def test_an_interrupt_may_name_one(self):
        subshell = self.create()
        message_id = execute(self.client, FOREVER, subshell)
        self.wait_for(message_id, "execute_input")

        def only_that():
            message = self.client.session.msg("interrupt_request", {})
            message["header"]["subshell_id"] = subshell
            self.client.control_channel.send(message)
            stopped = reply_to(self.client.get_shell_msg, message_id)["content"]
            # The main cell still runs: what is queued behind it is not answered before it is stopped, too.
            return stopped, self.beside("3")[0]["content"]

        stopped, beside = self.while_busy(only_that)
        self.assertEqual((stopped["status"], beside["status"]), ("error", "ok"))

    def test_a_failure_there_aborts_only_that_queue(self):
        subshell = self.create()
        queued = [("@sleep(300ms)", subshell), ("1 / 0", subshell), ("2", subshell), ("3", None)]
        ids = [execute(self.client, code, place) for code, place in queued]
        statuses = {}
        while len(statuses) < len(ids):
            message = self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"]["msg_id"] in ids:
                statuses[message["parent_header"]["msg_id"]] = message["content"]["status"]
        self.assertEqual([statuses[i] for i in ids], ["ok", "error", "aborted", "ok"])
        for message_id in ids[-1:]:
            until_idle(self.client, message_id)


class WhileBusy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager, cls.client = start()
        run(cls.client, "/// A point.\nstruct Point { x : Int, y : Int }\nlet point := Point(1, 2)")
        cls.main = execute(cls.client, FOREVER)
        while reply_to(cls.client.get_iopub_msg, cls.main)["msg_type"] != "execute_input":
            pass

    @classmethod
    def tearDownClass(cls):
        cls.manager.interrupt_kernel()
        reply = reply_to(cls.client.get_shell_msg, cls.main)
        assert reply["content"]["status"] == "error"
        cls.client.stop_channels()
        cls.manager.shutdown_kernel(now=True)

    def ask(self, kind, content):
        message_id = request(self.client, kind, content)
        statuses = []
        while statuses[-1:] != ["idle"]:
            message = reply_to(self.client.get_iopub_msg, message_id)
            statuses.append(message["content"].get("execution_state"))
        self.assertEqual(statuses, ["busy", "idle"])
        # The main cell still runs, and says so to a front end that shows the last status it saw.
        again = reply_to(self.client.get_iopub_msg, self.main)
        self.assertEqual(again["content"].get("execution_state"), "busy")
        return reply_to(self.client.get_shell_msg, message_id)["content"]

    def complete(self, code):
        return self.ask("complete_request", {"code": code, "cursor_pos": len(code)})

    def test_completion_knows_types(self):
        content = self.complete('let s := "\N{GRINNING FACE}"; point.')
        self.assertEqual(content["matches"], ["x", "y"])
        first = content["metadata"]["_jupyter_types_experimental"][0]
        at = len('let s := "\N{GRINNING FACE}"; point.')
        self.assertEqual((content["cursor_start"], content["cursor_end"]), (at, at))
        self.assertEqual((first["type"], first["signature"], first["start"], first["end"]), ("field", "Int", at, at))

    def test_completion_in_code_that_is_not_whole(self):
        self.assertEqual(self.complete("function f(p : Point) {\n  let q := p\n  q.")["matches"], ["x", "y"])
        self.assertEqual(self.complete("Point(1, ")["matches"][0], "y: ")
        self.assertIn("cost", self.complete(":")["matches"])
        self.assertNotIn("print", self.complete(":")["matches"])
        self.assertIn("spawn", self.complete("@sp")["matches"])

    def test_inspection_knows_what_was_defined(self):
        content = self.ask("inspect_request", {"code": "Point(1, 2)", "cursor_pos": 2, "detail_level": 0})
        self.assertTrue(content["found"])
        self.assertIn("A point.", content["data"]["text/plain"])
        self.assertIn("```ag", content["data"]["text/markdown"])
        nothing = self.ask("inspect_request", {"code": "nope", "cursor_pos": 2, "detail_level": 0})
        self.assertEqual((nothing["status"], nothing["found"]), ("ok", False))

    def test_the_rest_is_answered_too(self):
        self.assertEqual(self.ask("is_complete_request", {"code": "f("})["status"], "incomplete")
        entries = self.ask("history_request", {"hist_access_type": "tail", "n": 1, "output": False, "raw": True})
        self.assertTrue(entries["history"])
        self.assertEqual(self.ask("kernel_info_request", {})["implementation"], "ag")


if __name__ == "__main__":
    unittest.main(verbosity=2)
