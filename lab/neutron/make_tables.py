# Makes Neutron's tables from its models: its migrations do not run on SQLite.
# in: $1 the SQLite file
import sqlite3
import sys

from networking_sfc.db import flowclassifier_db, sfc_db  # noqa: F401 (their models)
from neutron.db.migration.models import head
from sqlalchemy import create_engine

with sqlite3.connect(sys.argv[1]) as database:
    # The API and the workers are several processes: readers must not block writers.
    database.execute('PRAGMA journal_mode = WAL')
head.get_metadata().create_all(create_engine(f'sqlite:///{sys.argv[1]}'))
