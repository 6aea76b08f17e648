// A process of the trial that can be killed and stopped: a conductor, a worker, a checker or a name server. It works like the product's
// roles, with the trial's own authority. Argument: a file with its options (Program).
// needs: fping
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { Registry } from 'prom-client';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { startProcess } from '../../compose/process.ts';
import { Answerer } from '../../dns/answerer/answerer.ts';
import { dnsModule } from '../../dns/module.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { Peers } from '../../platform/machines/peers.ts';
import type { MutualTls } from '../../platform/machines/tls.ts';
import { readConfig } from '../../platform/process/config.ts';
import { Health } from '../../platform/process/health.ts';
import type { DatabaseContext as RoleContext } from '../../platform/process/subgraph-row.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { createRedis } from '../../platform/work/redis.ts';
import { Checker } from '../../subgraphs/gslb/agents/checker/checker.ts';
import { standardPlugins } from '../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import { NameServer } from '../../subgraphs/gslb/agents/nameserver/name-server.ts';
import { ConductorLinks } from '../../subgraphs/gslb/control/machines/conductor-links.ts';
import { gslbRow } from '../../subgraphs/gslb/row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { testEgress } from '../../tests/support/machine/egress.ts';
import { testPair } from '../../tests/support/product/signing-keys.ts';
import { keyFile, LocalContext } from '../../tests/support/product/test-context.ts';
import { createWorker } from '../../workers/worker.ts';

interface Shared {
  readonly connection: DatabaseLocation;
  readonly redis: { readonly path: string; readonly prefix: string };
}

interface Linked {
  readonly tls: Pick<MutualTls, 'cert' | 'key' | 'ca'>;
}

export type Program =
  | (Shared & Linked & { readonly kind: 'conductor'; readonly checkerPort: number; readonly dnsPort: number })
  | (Shared & { readonly kind: 'worker'; readonly settings: Readonly<Record<string, unknown>> })
  | (Linked & { readonly kind: 'checker'; readonly vantagePoint: string; readonly urls: readonly string[] })
  | { readonly kind: 'gateway'; readonly folder: string; readonly flags: Readonly<Record<string, string>> }
  | (Linked & {
      readonly kind: 'nameServer';
      readonly name: string;
      readonly port: number;
      readonly folder: string;
      readonly urls: readonly string[];
    });

const host = '127.0.0.1';
const log = pino({ level: process.env.OUTAGE_LOG ?? 'silent' }, pino.destination(2));
toleratesBrokenConnects(process);
const program = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Program;
process.stdout.write(`${JSON.stringify(await run(program))}\n`);

/** Returns facts for the trial. */
function run(own: Program): Promise<object> {
  switch (own.kind) {
    case 'conductor':
      return conductor(own);
    case 'worker':
      return worker(own);
    case 'checker':
      return checker(own);
    case 'nameServer':
      return nameServer(own);
    case 'gateway':
      return gateway(own);
  }
}

function contextOf({ connection, redis }: Shared): LocalContext {
  return new LocalContext({ connection, connectionLimit: 12 }, { redis, log });
}

function machine({ tls }: Linked): MutualTls {
  return { ...tls, peers: new Peers(log) };
}

/** The defaults with the given values. */
function settingsAnd(given: Readonly<Record<string, unknown>>) {
  const shapes = Object.entries({ ...gslbRow.settings, ...dnsModule.settings });
  return Object.fromEntries(shapes.map(([name, shape]) => [name, shape.parse(given[name])]));
}

async function conductor(own: Extract<Program, { kind: 'conductor' }>): Promise<object> {
  const { db, wake, egress, sealer, owner } = contextOf(own);
  const settings = settingsAnd({});
  const links = new ConductorLinks({
    ...{ db, wake, egress, sealer, owner, log, signsZones: true },
    silenceMs: Number(settings['gslb.silenceMs']),
    heartbeatMs: Number(settings['gslb.heartbeatMs']),
    freshMs: Number(settings['gslb.freshMs']),
    checkers: { host, port: own.checkerPort, tls: machine(own) },
    nameServers: { host, port: own.dnsPort, tls: machine(own) },
  });
  await links.start();
  return { owner };
}

async function worker(own: Extract<Program, { kind: 'worker' }>): Promise<object> {
  const ground = contextOf(own);
  const location = { path: own.redis.path };
  const roleContext = {
    ...{ processName: 'worker', log, registry: new Registry(), health: new Health(), egress: ground.egress },
    ...{ db: ground.db, redis: createRedis(location, { log }), redisPrefix: own.redis.prefix, wake: ground.wake },
    trustedClock: ground.trustedClock,
    ...{ owner: ground.owner, leases: ground.leases, tlsOf: async () => undefined, sealer: async () => ground.sealer },
  } satisfies RoleContext;
  const settings = settingsAnd(own.settings) as never;
  const work = [
    (await gslbRow.work?.(roleContext, settings)) ?? {},
    (await dnsModule.work?.(roleContext, settings)) ?? {},
  ];
  const running = createWorker({
    ...{ ...roleContext, redis: location, work, auditKeys: testPair('audit') },
    config: { 'retention.eventDays': 30, 'retention.auditDays': 30, 'audit.anchorFile': undefined },
  });
  await running.start();
  return {};
}

async function checker(own: Extract<Program, { kind: 'checker' }>): Promise<object> {
  const { vantagePoint, urls } = own;
  const running = new Checker({
    ...{ vantagePoint, urls, version: 'trial', log, tls: machine(own), registry: new Registry() },
    ...{ egress: testEgress, plugins: standardPlugins, resolve: async () => [], fping: '/usr/bin/fping' },
    programs: new Map(),
  });
  await running.start();
  return {};
}

/** Includes its subgraphs, as in a process of the product. */
async function gateway({ folder, flags }: Extract<Program, { kind: 'gateway' }>): Promise<object> {
  const { url, access } = await startProcess(readConfig({ flags }, subgraphRows), log);
  if (access === undefined) throw new Error('the process has no role system');
  await mkdir(folder, { recursive: true });
  const { token, projectId } = await firstAccounts(access, folder);
  return { url, token, projectId };
}

async function nameServer({ name, port, folder, urls, ...own }: Extract<Program, { kind: 'nameServer' }>) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const listen = [{ address: host, port }];
  const answerer = await Answerer.start({
    ...{ listen, name, limit: { answersPerSecond: 1e9, totalPerSecond: 1e9 } },
    disk: { path: join(folder, 'zones'), sealer: createSealer(new Keyring(keyFile)) },
    failed: (what, error) => log.error({ err: error }, what),
  });
  new NameServer({ answerer, listen, name, urls, log, version: 'trial', tls: machine(own) }).start();
  return {};
}
