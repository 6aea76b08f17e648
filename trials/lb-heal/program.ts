// A process of the trial that can be killed and paused: the listener for hosts, a worker, or the name server. It works like the product's
// roles, with the trial's own authority. Argument: a file with its options (Program).
import { readFile } from 'node:fs/promises';
import pino from 'pino';
import { Registry } from 'prom-client';
import { dnsModule } from '../../dns/module.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { LinkServer } from '../../platform/link/link-server.ts';
import { Peers } from '../../platform/machines/peers.ts';
import { Health } from '../../platform/process/health.ts';
import type { DatabaseContext as RoleContext } from '../../platform/process/subgraph-row.ts';
import { createRedis } from '../../platform/work/redis.ts';
import { HostSessions } from '../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import { HostWatcher } from '../../subgraphs/loadbalancer/control/hosts/host-watcher.ts';
import { NodeDocuments } from '../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import { loadBalancerRow } from '../../subgraphs/loadbalancer/row.ts';
import { powerdns } from '../../tests/dns/support/name-servers.ts';
import { testPair } from '../../tests/support/product/signing-keys.ts';
import { LocalContext } from '../../tests/support/product/test-context.ts';
import { createWorker } from '../../workers/worker.ts';

interface Shared {
  readonly connection: DatabaseLocation;
  readonly redis: { readonly path: string; readonly prefix: string };
}

export type Program =
  | (Shared & {
      readonly kind: 'control';
      readonly port: number;
      readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
    })
  | (Shared & { readonly kind: 'worker'; readonly settings: Readonly<Record<string, unknown>> })
  | { readonly kind: 'dns' };

const log = pino({ level: process.env.HEAL_LOG ?? 'silent' }, pino.destination(2));
toleratesBrokenConnects(process);
const program = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Program;
if (program.kind === 'control') await control(program);
else if (program.kind === 'worker') await worker(program);
else await dns();

function contextOf({ connection, redis }: Shared): LocalContext {
  return new LocalContext({ connection, connectionLimit: 12 }, { redis, log });
}

async function control(own: Extract<Program, { kind: 'control' }>): Promise<void> {
  const ground = contextOf(own);
  const { db, wake, sealer } = ground;
  const sessions = new HostSessions({ db, wake, log, documents: new NodeDocuments({ db, sealer }) });
  new HostWatcher({ db, wake, log }).start();
  await LinkServer.listen({
    ...{ host: '127.0.0.1', port: own.port, role: 'lbhost', log },
    tls: { ...own.tls, peers: new Peers(log) },
    open: (peer) => sessions.open(peer),
  });
  say({});
}

async function worker(own: Extract<Program, { kind: 'worker' }>): Promise<void> {
  const ground = contextOf(own);
  const location = { path: own.redis.path };
  const health = new Health();
  const roleContext = {
    ...{ processName: 'worker', log, registry: new Registry(), health, egress: ground.egress, owner: ground.owner },
    ...{ db: ground.db, redis: createRedis(location, { log }), redisPrefix: own.redis.prefix, wake: ground.wake },
    ...{
      leases: ground.leases,
      trustedClock: ground.trustedClock,
      tlsOf: async () => undefined,
      sealer: async () => ground.sealer,
    },
  } satisfies RoleContext;
  const settings = defaultsAnd(own.settings);
  const work = [
    (await loadBalancerRow.work?.(roleContext, settings as never)) ?? {},
    (await dnsModule.work?.(roleContext, settings as never)) ?? {},
  ];
  const running = createWorker({
    ...{ ...roleContext, redis: location, work, auditKeys: testPair('audit') },
    config: { 'retention.eventDays': 30, 'retention.auditDays': 30, 'audit.anchorFile': undefined },
  });
  await running.start();
  say({});
}

/** Defaults of all settings of the subgraph and of dns. */
function defaultsAnd(given: Readonly<Record<string, unknown>>): object {
  const shapes = Object.entries({ ...loadBalancerRow.settings, ...dnsModule.settings });
  return Object.fromEntries(shapes.map(([name, shape]) => [name, shape.parse(given[name])]));
}

/** Each line of the input is `kill`, `start`, `remove`, or `update` with lines of nsupdate(1), separated by `|`. */
async function dns(): Promise<void> {
  const server = await powerdns();
  say({ ...server.place, keyFile: server.keyFile });
  process.stdin.setEncoding('utf8');
  for await (const text of process.stdin)
    for (const line of String(text).trim().split('\n')) {
      const [what, ...lines] = line.split('|');
      if (what === 'kill') await server.kill();
      else if (what === 'start') await server.start();
      else if (what === 'update') await server.nsupdate(...lines);
      else await server.remove();
      say({});
    }
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
