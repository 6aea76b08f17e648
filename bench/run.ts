// `npm run bench -- NAME` and `npm run trials -- NAME`: runs one benchmark or failure trial; its last line is one JSON object.
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';

/** Loaded only when asked for: each brings its own servers. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).benchStart,
  gateway: async () => (await import('./gateway/gateway.ts')).benchGateway,
  fanout: async () => (await import('./fanout.ts')).benchFanout,
  relay: async () => (await import('./relay.ts')).benchRelay,
  'relay-fleet': async () => (await import('./relay-fleet.ts')).benchRelayFleet,
  writes: async () => (await import('./writes.ts')).benchWrites,
  'mapping-export': async () => (await import('./mapping-export.ts')).benchMappingExport,
};

const trials: Readonly<Record<string, () => Promise<Bench>>> = {
  events: async () => (await import('./trials/events-main.ts')).trialEvents,
  calls: async () => (await import('./trials/calls-main.ts')).trialCalls,
  'relay-unknown': async () => (await import('./trials/relay-unknown-main.ts')).trialRelayUnknown,
  'relay-names': async () => (await import('./trials/relay-names-main.ts')).trialRelayNames,
};

async function main(): Promise<number> {
  const [kind, name, ...rest] = process.argv.slice(2);
  const table = kind === 'trials' ? trials : benches;
  const load = name === undefined ? undefined : table[name];
  if (load === undefined) {
    process.stderr.write(
      `usage: npm run ${kind ?? 'bench'} -- NAME [--option value …]; NAME is one of ${Object.keys(table).join(', ')}\n`,
    );
    return 2;
  }
  const names = rest.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
  const { values } = parseArgs({
    args: rest,
    options: Object.fromEntries(names.map((each) => [each, { type: 'string' as const }])),
  });
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  process.once('SIGTERM', () => ending.abort());
  const figures = await (await load())({
    options: values as Record<string, string>,
    progress: (line) => process.stderr.write(`${line}\n`),
    signal: ending.signal,
  });
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return 0;
}

process.exitCode = await main();
