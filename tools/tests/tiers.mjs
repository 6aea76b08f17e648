// The tier of a test file, and what the machine must have for it: the union over all that the file imports. A file that starts a program,
// or uses the run's servers, says so in a line of its own:
//
//     // needs: haproxy, root
//
// The names are Debian packages (bin/boot/system-packages.mjs) and those of `conditions`.

/** From the quickest to the slowest; a test file belongs to the last one of which it needs anything. */
export const tiers = ['unit', 'real', 'lab', 'system'];

const conditions = new Map([
  // The MariaDB and Redis that one run shares.
  ['servers', { tier: 'real', packages: ['mariadb-server-core', 'mariadb-client-core', 'redis-tools', 'util-linux'] }],
  // Programs of ours: each costs most of a second of CPU.
  ['processes', { tier: 'real', packages: [] }],
  // It keeps a processor busy for 2 s and more, or is a long file.
  ['load', { tier: 'real', packages: [] }],
  // The built pages, and the tools that build them.
  ['dashboard', { tier: 'real', packages: [] }],
  ['root', { tier: 'lab', packages: [] }],
  // Packages that are unpacked beside the machine's own (tests/support/servers/fill-caches.ts).
  ['neutron', { tier: 'lab', packages: [] }],
  ['designate', { tier: 'lab', packages: [] }],
  // A whole product: several processes, or one with all roles.
  ['system', { tier: 'system', packages: [] }],
  // The one that tests/main-jobs shares.
  ['product', { tier: 'system', packages: [] }],
]);
/** A server of a test's own costs what the run's do; openssl makes certificates. The other packages are of the lab. */
const realPackages = new Set([...conditions.get('servers').packages, 'openssl', 'git']);

const testFile = /^tests\/.*\.test\.ts$/;
const longTestFile = /\.long\.test\.ts$/;
const ofTests = /^tests\//;
const ofMeasurements = /^(?:bench|measure|trials)\//;

/** @param {import('./imports.mjs').Sources} sources */
export function testFiles(sources) {
  return [...sources.paths].filter((path) => testFile.test(path)).sort();
}

/** A file that takes more than 10 s alone has a name that says so; `npm test` leaves it out. */
export function isLong(path) {
  return longTestFile.test(path);
}

/** The part of the product that a test file belongs to: its subgraph, or else its folder in `tests/`. */
export function partOf(path) {
  const [, folder, subgraph = ''] = path.split('/');
  return (folder === 'subgraphs' ? subgraph : folder).replace(/\.test\.ts$/, '');
}

/**
 * What a test or a benchmark needs of the machine. The product, the lab and the tables of benchmarks load by role, part and name: a test
 * that has something loaded names its needs itself.
 *
 * @returns {Map<string, string>} each need with the file that names it
 */
export function needsOf(sources, path) {
  const needs = new Map(isLong(path) ? [['load', path]] : []);
  const reached = sources.reach(path, (from, { imports, loads, starts }) => {
    if (from === path || ofTests.test(from)) return [...imports, ...loads, ...starts];
    return ofMeasurements.test(from) ? [...imports, ...starts] : imports;
  });
  for (const each of reached) for (const need of sources.of(each).needs) if (!needs.has(need)) needs.set(need, each);
  return needs;
}

export function tierOf(needs) {
  const highest = [...needs.keys()].map((need) => tiers.indexOf(tierOfNeed(need)));
  return tiers[Math.max(0, ...highest)];
}

function tierOfNeed(need) {
  return conditions.get(need)?.tier ?? (realPackages.has(need) ? 'real' : 'lab');
}

/** @returns {Map<string, string>} each package with the file that needs it */
export function packagesFor(needs) {
  return new Map(
    [...needs].flatMap(([need, file]) => (conditions.get(need)?.packages ?? [need]).map((name) => [name, file])),
  );
}

/** `packages`: all known ones. Needs that are neither a package nor a condition. */
export function unknownNeeds(sources, packages) {
  return [...sources.paths].flatMap((path) =>
    sources
      .of(path)
      .needs.filter((need) => !conditions.has(need) && !packages.includes(need))
      .map((need) => `${path} needs "${need}", which is neither a package nor a condition`),
  );
}
