// Prepares the machine for `npm start` and `npm test`: npm packages (with the pinned Node), generated code, the dashboard and system
// packages. It runs on Node 20 or later and needs no packages; with nothing to do it takes some tens of milliseconds.

const OLDEST_NODE = 20;

const major = Number(process.versions.node.split('.')[0]);
if (major < OLDEST_NODE) {
  console.error(`Tidegate needs Node ${OLDEST_NODE} or later to start; this is ${process.versions.node}.`);
  process.exit(1);
}
if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
  console.error(`Tidegate runs on Linux (x64 or arm64); this is ${process.platform} (${process.arch}).`);
  process.exit(1);
}

const { prepare } = await import('./boot/prepare.mjs');
process.exitCode = await prepare(process.argv.slice(2));
