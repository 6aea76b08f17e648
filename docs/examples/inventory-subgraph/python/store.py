"""The racks and the events that wait to be sent, in one file, which is replaced as a whole: a rack is never stored without its event.

A real inventory has a database, and does the same in one transaction.
"""
import json
import os
import threading
import uuid

MOST_IN_BATCH = 100
MOST_PENDING = 10_000


class Store:
    def __init__(self, file):
        self._file = file
        self._lock = threading.Lock()
        self._content = {"racks": [], "pending": [], "batch": None}
        if os.path.exists(file):
            with open(file, encoding="utf-8") as opened:
                self._content = json.load(opened)

    @property
    def racks(self):
        return list(self._content["racks"])

    def add(self, rack, event):
        """Raises OverflowError if too many events wait."""
        with self._lock:
            if len(self._content["pending"]) >= MOST_PENDING:
                raise OverflowError("too many events wait to be sent")
            self._content["racks"].append(rack)
            self._content["pending"].append(event)
            self._save()

    def next(self):
        """The key and the events of the batch to send: the same until it is done. None if nothing waits."""
        with self._lock:
            pending = self._content["pending"]
            if self._content["batch"] is None:
                if not pending:
                    return None
                self._content["batch"] = {"key": str(uuid.uuid4()), "count": min(len(pending), MOST_IN_BATCH)}
                self._save()
            batch = self._content["batch"]
            return batch["key"], pending[: batch["count"]]

    def done(self):
        """The batch was written."""
        with self._lock:
            del self._content["pending"][: self._content["batch"]["count"]]
            self._content["batch"] = None
            self._save()

    def leave_out(self, places):
        """The batch was refused because of these events of it."""
        with self._lock:
            self._content["pending"] = [e for at, e in enumerate(self._content["pending"]) if at not in places]
            self._content["batch"] = None
            self._save()

    def _save(self):
        new = f"{self._file}.new"
        with open(new, "w", encoding="utf-8") as file:
            json.dump(self._content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._file)
