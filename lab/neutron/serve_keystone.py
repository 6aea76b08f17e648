# Serves Keystone's public application on a free port of the loopback, and prints the port.
# in:   $1 keystone.conf, $2 keystone.sqlite
# does: writes its address into the catalog, where services find Keystone, then serves until it is stopped
import socketserver
import sqlite3
import sys
from wsgiref import simple_server

configuration, database = sys.argv[1:3]
sys.argv = ['keystone', '--config-file', configuration]

from keystone.server.wsgi import initialize_public_application  # noqa: E402


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


class Handler(simple_server.WSGIRequestHandler):
    def address_string(self):
        return self.client_address[0]


application = initialize_public_application()
server = simple_server.make_server('127.0.0.1', 0, application, Server, Handler)
with sqlite3.connect(database) as catalog:
    # Readers must not block writers: an open reader would make the next change fail.
    catalog.execute('PRAGMA journal_mode = WAL')
    catalog.execute('UPDATE endpoint SET url = ?', (f'http://127.0.0.1:{server.server_port}/v3',))
print(f'listening on port {server.server_port}', flush=True)
server.serve_forever()
