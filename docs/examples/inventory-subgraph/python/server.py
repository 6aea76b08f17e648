"""The inventory in Python: python3 server.py PUBLIC_KEYS_FILE PORT STORE_FILE [MACHINE_FILE]. It needs graphql-core and cryptography.

With the file of a machine, it sends status events of its racks.
"""
import base64
import datetime
import json
import pathlib
import re
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from events import send_events
from graphql import GraphQLError, build_schema, graphql_sync
from identity import IdentityError, IdentityVerifier, allows
from store import Store

SDL = (pathlib.Path(__file__).parent.parent / "inventory.graphql").read_text(encoding="utf-8")
# What Federation adds to a subgraph (https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec).
FEDERATION = """
directive @key(fields: String!) repeatable on OBJECT
scalar _Any
union _Entity = Project | CmpObject | Rack
extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
"""
MOST_BYTES = 8 * 1024 * 1024
store = Store(sys.argv[3] if len(sys.argv) > 3 else "inventory.json")


def rack_of(rack_id):
    return next((each for each in store.racks if each["id"] == rack_id), None)


def visible(rack, identity):
    """What the caller may not see does not exist for the caller."""
    return rack if rack is not None and allows(identity, rack["projectId"], "VIEWER") else None


class Root:
    @staticmethod
    def rack(info, id):
        return visible(rack_of(id), info.context)

    @staticmethod
    def rackInstall(info, input):
        if not allows(info.context, input["projectId"], "MEMBER"):
            raise GraphQLError("Only members of the project may put up a rack.", extensions={"code": "FORBIDDEN"})
        if not 1 <= input["units"] <= 60:
            text = f"A rack has 1 to 60 units, not {input['units']}."
            raise GraphQLError(text, extensions={"code": "INVALID_INPUT"})
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rack_id = base64.urlsafe_b64encode(f"Rack:{uuid.uuid4()}".encode()).decode().rstrip("=")
        rack = {**input, "id": rack_id, "installedAt": now, "__typename": "Rack"}
        event = {"projectId": rack["projectId"], "subjectId": rack_id, "kind": "state", "from": None, "to": "INSTALLED"}
        store.add(rack, event)
        return rack

    @staticmethod
    def _entities(info, representations):
        return [entity(each, info.context) for each in representations]


def entity(reference, identity):
    if reference["__typename"] == "Rack":
        return visible(rack_of(reference["id"]), identity)
    return {"__typename": reference["__typename"], "id": reference["id"]}


def project_of_rack(rack, _info):
    return {"__typename": "Project", "id": rack["projectId"]}


def racks_of_project(project, info):
    return [each for each in store.racks if each["projectId"] == project["id"] and visible(each, info.context)]


def rack_of_cmp_object(cmp_object, info):
    # Tidegate's id of a CMP object is base64url of CmpObject:["namespace","type","external id"].
    text = base64.urlsafe_b64decode(cmp_object["id"] + "=" * (-len(cmp_object["id"]) % 4)).decode()
    _, kind, name = json.loads(text[len("CmpObject:"):])
    found = (each for each in store.racks if kind == "rack" and each["name"] == name)
    return visible(next(found, None), info.context)


schema = build_schema(re.sub(r"extend schema\s+@link\([^)]*\)", "", SDL) + FEDERATION)
schema.type_map["Rack"].fields["project"].resolve = project_of_rack
schema.type_map["Project"].fields["racks"].resolve = racks_of_project
schema.type_map["CmpObject"].fields["rack"].resolve = rack_of_cmp_object
identities = IdentityVerifier(sys.argv[1], "inventory")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # The gateway asks whether the subgraph is there.
        live = self.path == "/health/live"
        self._send(200 if live else 404, {"live": live})

    def do_POST(self):
        length = int(self.headers.get("content-length", "0"))
        if length > MOST_BYTES:
            self.close_connection = True
            return self._send(413, {"error": "The body is too long."})
        body = self.rfile.read(length)
        try:
            identity, _request_id = identities.verify(self.headers.get("x-tidegate-identity"), body)
        except IdentityError as error:
            return self._send(401, {"error": str(error)})
        asked = json.loads(body)
        result = graphql_sync(
            schema,
            asked["query"],
            root_value=Root,
            context_value=identity,
            variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )
        return self._send(200, result.formatted)

    def _send(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
if len(sys.argv) > 4:
    threading.Thread(target=send_events, args=(store, sys.argv[4]), daemon=True).start()
print("ready", flush=True)
server.serve_forever()
