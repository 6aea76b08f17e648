# Another NETCONF client, told what to do by lines of JSON: one answer for each. Python's ncclient, as people use it.
import json
import sys

from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

place = json.loads(sys.stdin.readline())
session = manager.connect(
    host=place["host"],
    port=place["port"],
    username=place["username"],
    key_filename=place["key"],
    hostkey_verify=False,
    allow_agent=False,
    look_for_keys=False,
    timeout=30,
)
print(json.dumps({"session": session.session_id}), flush=True)

for line in sys.stdin:
    ask = json.loads(line)
    what = ask["do"]
    try:
        if what == "edit":
            reply = session.edit_config(target=ask.get("target", "candidate"), config=ask["config"])
        elif what == "read":
            reply = session.get_config(source=ask.get("source", "running"), filter=("subtree", ask["filter"]) if "filter" in ask else None)
        elif what == "lock":
            reply = session.lock(ask.get("target", "candidate"))
        elif what == "unlock":
            reply = session.unlock(ask.get("target", "candidate"))
        elif what == "kill":
            reply = session.kill_session(ask["session"])
        elif what == "discard":
            reply = session.discard_changes()
        elif what == "commit":
            reply = session.commit()
        elif what == "rpc":
            reply = session.dispatch(to_ele(ask["rpc"]))
        else:
            raise ValueError(what)
        print(json.dumps({"ok": True, "xml": reply.xml}), flush=True)
    except RPCError as error:
        print(json.dumps({"ok": False, "tag": error.tag, "message": error.message}), flush=True)
