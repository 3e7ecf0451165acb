"""Results are marked where they stand when what they were computed from changes (L-153), if the front end names its cells."""

import unittest

from client import execute, kinds, reply_to, run, start, text, until_idle


class Stale(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = start()

    def tearDown(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def cell(self, code, name=None, deleted=None, **options):
        """Runs a cell as JupyterLab does, and gives what it showed."""
        metadata = {"cellId": name} if name else {}
        if deleted is not None:
            metadata["deletedCells"] = deleted
        message_id = execute(self.client, code, metadata=metadata, **options)
        reply_to(self.client.get_shell_msg, message_id)
        return [m for m in until_idle(self.client, message_id) if m["msg_type"] not in ("status", "execute_input")]

    def identity(self, message):
        return message["content"]["transient"]["display_id"]

    def test_a_change_marks_the_result_and_changing_back_takes_the_mark_away(self):
        self.cell("function risk(n : Int) -> Int { return n * 2 }", "a")
        shown = self.cell("risk(21)", "b")
        self.assertEqual((kinds(shown), text(shown)), (["display_data"], ["42"]))
        identity = self.identity(shown[0])
        changed = self.cell("function risk(n : Int) -> Int { return n * 3 }", "a")
        self.assertEqual(kinds(changed), ["update_display_data"])
        self.assertEqual(self.identity(changed[0]), identity)
        data = changed[0]["content"]["data"]
        self.assertEqual(data["text/plain"], "42\n// stale: `risk` changed in cell 3")
        self.assertIn("stale: `risk` changed in cell 3", data["text/html"])
        self.assertEqual(self.cell("1 + 1", "c")[0]["msg_type"], "execute_result")
        back = self.cell("function risk(n : Int) -> Int { return n * 2 }", "a")
        self.assertEqual((kinds(back), text(back)), (["update_display_data"], ["42"]))
        self.assertEqual(self.identity(back[0]), identity)

    def test_marks_follow_values_and_a_new_run_is_fresh(self):
        self.cell("var price := 10", "a")
        self.cell("let total := price * 2", "b")
        identity = self.identity(self.cell("total + 1", "c")[0])
        changed = self.cell("price = 20", "d")
        self.assertEqual(text(changed), ["21\n// stale: `total` is stale"])
        again = self.cell("let total := price * 2", "b")
        self.assertEqual(text(again), ["21\n// stale: `total` changed in cell 5"])
        fresh = self.cell("total + 1", "c")
        self.assertEqual((kinds(fresh), text(fresh)), (["display_data"], ["41"]))
        self.assertEqual(self.identity(fresh[0]), identity)
        self.assertEqual(self.cell("let other := 1", "e"), [])

    def test_a_cell_marks_also_what_it_did_before_it_failed(self):
        self.cell("var n := 1", "a")
        self.cell("n + 1", "b")
        self.assertEqual(kinds(self.cell("n = 2\n1 / 0", "c")), ["error", "update_display_data"])

    def test_what_a_silent_cell_changed_is_told_by_the_next(self):
        self.cell("var n := 1", "a")
        self.cell("n + 1", "b")
        self.assertEqual(self.cell("n = 2", silent=True), [])
        self.assertEqual(kinds(self.cell("let m := 1", "c")), ["update_display_data"])

    def test_without_a_name_of_the_cell_a_result_is_for_good(self):
        run(self.client, "var n := 1")
        _, shown = run(self.client, "n + 1")
        self.assertEqual(kinds(shown), ["execute_input", "execute_result"])
        self.assertEqual(kinds(self.cell("n = 2", "a")), [])

    def test_results_of_constants_are_for_good(self):
        self.assertEqual(kinds(self.cell("6 * 7", "a")), ["execute_result"])
        self.assertEqual(kinds(self.cell('"a".repeat(3)', "b")), ["execute_result"])

    def test_run_stale_shows_the_result_again_where_it_stands(self):
        self.cell("var price := 10", "a")
        identity = self.identity(self.cell("price + 1", "b")[0])
        self.cell("price = 20", "c")
        shown = self.cell(":run stale", "d")
        self.assertEqual(kinds(shown), ["update_display_data", "display_data"])
        self.assertEqual((self.identity(shown[0]), shown[0]["content"]["data"]["text/plain"]), (identity, "21"))
        self.assertIn("_2", shown[1]["content"]["data"]["text/plain"])
        # It is a result like any other: it becomes stale again.
        self.assertEqual(text(self.cell("price = 30", "e")), ["21\n// stale: `price` changed in cell 5"])
        self.assertEqual(text(self.cell(":undo", "f"))[-1], "21")

    def test_a_reactive_session_follows_every_change(self):
        self.cell(":set reactive on\nvar price := 10", "a")
        identity = self.identity(self.cell("price + 1", "b")[0])
        shown = self.cell("price = 20", "c")
        self.assertEqual((self.identity(shown[0]), shown[0]["content"]["data"]["text/plain"]), (identity, "21"))
        # A cell that ran again has one result: the one before stands nowhere and is not computed any more.
        self.cell("price + 2", "b")
        shown = self.cell("price = 30", "c")
        self.assertEqual([m["content"]["data"]["text/plain"] for m in shown if m["msg_type"] == "update_display_data"], ["32"])
        self.assertNotIn("_2 ", text(shown)[-1])

    def ask(self, answer):
        """Runs `:run stale`, answers its question, and gives what it asked and showed."""
        message_id = execute(self.client, ":run stale", allow_stdin=True)
        question = self.client.get_stdin_msg(timeout=60)["content"]["prompt"]
        self.client.input(answer)
        shown = until_idle(self.client, message_id)
        reply_to(self.client.get_shell_msg, message_id)
        return question, "\n".join(text(shown))

    def test_an_effect_outside_is_asked_about_first(self):
        self.cell("var n := 1", "a")
        self.cell("let at := (n, show(@now()).len > 0)", "b")
        self.cell("n = 2", "c")
        question, told = self.ask("no")
        self.assertIn("computing at again has effects: clock", question)
        self.assertIn("`at` stays stale: it was not allowed", told)
        self.assertIn("(2, true)", self.ask("yes")[1])
        self.assertEqual(text(self.cell("at")), ["(2, true)"])

    def deleted_names(self):
        table = text(self.cell(":defs"))[0]
        return [line.split()[1] for line in table.splitlines() if "cell deleted" in line]

    def test_definitions_of_deleted_cells_stay_and_say_so(self):
        self.cell("let kept := 41", "a")
        self.cell("let gone := 1", "b")
        self.cell("gone + 1", "c")
        self.assertEqual(text(self.cell("kept + gone", "d", deleted=["b", "c", "never"])), ["42"])
        self.assertEqual(self.deleted_names(), ["gone"])
        # The result of the deleted cell is gone with it; that of the other is marked.
        marked = self.cell("let gone := 2", "f")
        self.assertEqual([self.identity(m).split("-", 1)[1] for m in marked], ["result-d"])
        self.assertEqual(self.deleted_names(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
