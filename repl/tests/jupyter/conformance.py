"""jupyter_kernel_test against the installed kernel `agentic`: 13 tests, none skipped.

A test whose sample is missing is skipped silently by that package, so a skip here is a failure.
"""

import sys
import unittest

import jupyter_kernel_test as jkt


class Conformance(jkt.KernelTests):
    kernel_name = "agentic"
    language_name = "agentic"
    file_extension = ".ag"
    code_hello_world = 'print("hello, world")'
    code_stderr = 'eprint("oops")'
    completion_samples = [
        {"text": "@reca", "matches": {"recall"}},
        {"text": "let a := pri", "matches": {"print", "Priority"}},
    ]
    complete_code_samples = ["1 + 1", "let a := [1, 2]", "function f() -> Int { return 1 }"]
    incomplete_code_samples = ["function f() {", "print(", "agent A {\n  state { n : Int = 0 }", "1 +"]
    invalid_code_samples = ["}", "let 5 := )"]
    code_page_something = "?print"
    code_generate_error = "1 / 0"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a" + "b"', "result": '"ab"'},
        {"code": "[1, 2].map(x => x * 2)", "result": "[2, 4]"},
    ]
    code_display_data = [
        {"code": ":cost", "mime": "text/html"},
        {"code": ":agents", "mime": "application/vnd.ag.agents+json"},
    ]
    code_history_pattern = "6 ? [0-9*]*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "print"
    code_clear_output = "clear_output()"


class Welcome(jkt.IopubWelcomeTests):
    kernel_name = "agentic"
    support_iopub_welcome = True


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    print(f"ran {result.testsRun}, skipped {len(result.skipped)}")
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    sys.exit(0 if result.wasSuccessful() and not result.skipped and result.testsRun == 13 else 1)
