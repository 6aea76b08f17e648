# Serves Designate's API, central, worker, mdns and producer in one process.
# in:   $1 designate.conf, $2 the pool (YAML), $3 the SQLite file
# does: makes tables and pool, then serves until it is stopped
import sqlite3
import sys

configuration, pools, file = sys.argv[1:4]

with sqlite3.connect(file) as tables:
    # One thread serves all: a reader that blocked a writer would stop both.
    tables.execute('PRAGMA journal_mode = WAL')

import designate.cmd  # noqa: E402,F401  before all else: it patches the library for eventlet
from oslo_log import log  # noqa: E402
from oslo_service import service  # noqa: E402

import designate.conf  # noqa: E402
from designate import utils  # noqa: E402

CONF = designate.conf.CONF
CONF.import_group('keystone_authtoken', 'keystonemiddleware.auth_token')
utils.read_config('designate', ['designate', '--config-file', configuration])
log.setup(CONF, 'designate')

from designate.api import service as api  # noqa: E402
from designate.central import service as central  # noqa: E402
from designate.manage import database, pool  # noqa: E402
from designate.mdns import service as mdns  # noqa: E402
from designate.producer import service as producer  # noqa: E402
from designate.worker import service as worker  # noqa: E402

database.DatabaseCommands().sync()
launcher = service.ServiceLauncher(CONF)
launcher.launch_service(central.Service())
# The pool is made through central.
pool.PoolCommands().update(pools, delete=False)
for each in (worker, mdns, producer, api):
    launcher.launch_service(each.Service())
launcher.wait()
