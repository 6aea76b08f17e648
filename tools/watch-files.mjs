// Waits for changes of the checkout's files, for what runs again on each save.
import { watch } from 'node:fs';
import { join } from 'node:path';

/** One save may be several changes. */
const quietMs = 200;
const notWatched = /(?:^|\/)(?:node_modules|dist)(?:\/|$)/;

/** Calls `onChange` soon after a change in one of the folders of `root`. Returns what ends it. */
export function watchFiles(root, folders, onChange) {
  let quiet;
  const watchers = folders.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, path) => {
      if (path !== null && notWatched.test(path)) return;
      clearTimeout(quiet);
      quiet = setTimeout(onChange, quietMs);
    }),
  );
  return () => {
    clearTimeout(quiet);
    for (const watcher of watchers) watcher.close();
  };
}
