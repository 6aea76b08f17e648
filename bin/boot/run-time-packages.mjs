// Which packages a running process can do without. npm counts an optional peer of a package as part of it: @prisma/client has the
// peers `prisma` and `typescript`, so `npm ci --omit=dev` installs these two devDependencies, and all that they depend on.

/**
 * Paths of `packages`, the table of a lock file (version 3), to which no dependency, optional dependency or required peer leads from the
 * root. devDependencies and optional peers don't count.
 */
export function notNeededToRun(packages) {
  const needed = new Set(['']);
  for (const path of needed)
    for (const name of wantedBy(packages[path])) {
      const found = resolve(packages, path, name);
      if (found !== undefined) needed.add(found);
    }
  return Object.keys(packages).filter((path) => !needed.has(path));
}

/** `lock`, the content of a lock file, without these packages. */
export function runTimeLock(lock) {
  const left = new Set(notNeededToRun(lock.packages));
  const kept = Object.entries(lock.packages).filter(([path]) => !left.has(path));
  const { devDependencies: _, ...root } = lock.packages[''];
  return { ...lock, packages: { ...Object.fromEntries(kept), '': root } };
}

function wantedBy({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers];
}

/** As Node does: in the package's own folder node_modules, then in those further up. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === '') return undefined;
  }
}
