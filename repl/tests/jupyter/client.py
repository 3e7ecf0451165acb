"""What the tests of the protocol share: a kernel, and requests with their answers.

No test measures time; `PATIENCE` is only reached by a hang.
"""

from jupyter_client.manager import KernelManager

NAME = "agentic"
PATIENCE = 60
ENDLESS = "var i := 0\nwhile true { i += 1 }"


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
    return [message["msg_type"] for message in messages]


def control(client, kind, content):
    message = client.session.msg(kind, content)
    client.control_channel.send(message)
    return reply_to(client.control_channel.get_msg, message["header"]["msg_id"])["content"]


def request(client, kind, content, subshell=None, metadata=None):
    """Sends a request on the shell channel and gives its id."""
    message = client.session.msg(kind, content, metadata=metadata)
    if subshell is not None:
        message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)
    return message["header"]["msg_id"]


def execute(client, code, subshell=None, metadata=None, **options):
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
    content.update({"allow_stdin": False, "stop_on_error": True}, **options)
    return request(client, "execute_request", content, subshell, metadata)


def text(shown):
    """The plain text of the results and displays among what was shown."""
    return [m["content"]["data"]["text/plain"] for m in shown if "data" in m["content"]]
