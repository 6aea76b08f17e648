// The measured name servers: ours, and PowerDNS with its caches, or with Lua records that share their state. Each accepts changes of one
// name.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startPowerdns } from '../../embedded/powerdns.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { Child } from '../../measure/child.ts';
import type { Order } from '../../measure/name-server.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import {
  addresses,
  benchHistory,
  benchPlan,
  blocks,
  changedAddresses,
  type Kind,
  nameAt,
  namePlanAt,
  zone,
} from './plans.ts';

export interface NameServer {
  readonly pid: number;
  readonly port: number;
  /** Gives a name the single address that belongs to that version. */
  change(index: number, version: number): Promise<void>;
}

export async function startAnswerer(
  stack: AsyncDisposableStack,
  names: number,
  { kind, signed }: { readonly kind: Kind; readonly signed: boolean },
): Promise<NameServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-gslb-dns-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const child = new Child(new URL('../../measure/name-server.ts', import.meta.url));
  stack.defer(() => child.stop());
  const ask = <Reply>(order: Order) => child.ask<Reply>(order, 60_000);
  const port = await ask<number>({ start: benchPlan(names, kind, signed), folder });
  let generation = 1;
  return {
    ...{ pid: child.pid, port },
    async change(index, version) {
      const [from, to] = [generation, ++generation];
      const change = {
        zone,
        history: benchHistory,
        from,
        to,
        names: [namePlanAt(index, kind, version)],
        removedNames: [],
      };
      const taken = await ask<string>({ change });
      if (taken !== 'TAKEN') throw new Error(`the change is ${taken}`);
    },
  };
}

const apiKey = 'bench';

export async function startPdns(stack: AsyncDisposableStack, names: number, kind: Kind): Promise<NameServer> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-gslb-pdns-'));
  stack.defer(() => rm(path, { recursive: true, force: true }));
  const folder = await openDataFolder(join(path, 'data'), { version: 1 });
  stack.defer(() => folder.close());
  const [port, apiPort] = [await freePort(), await freePort()];
  const origin = zone.slice(0, -1);
  const server = await startPowerdns({
    ...{ folder, log: silentLog, port, zones: [origin] },
    extraArguments: [
      ...['--cache-ttl=20', '--query-cache-ttl=20', '--negquery-cache-ttl=60', '--enable-lua-records=shared'],
      ...['--webserver=yes', `--webserver-port=${apiPort}`, '--webserver-loglevel=none', '--default-api-rectify=no'],
      ...['--api=yes', `--api-key=${apiKey}`],
    ],
  });
  stack.defer(() => server.stop());
  fill(join(folder.path, 'powerdns', 'zones.sqlite'), origin, names, kind);
  return {
    ...{ pid: server.pid, port },
    async change(index, version) {
      const content = changedAddresses[version % 2] as string;
      const records = [{ content, disabled: false }];
      const rrsets = [{ name: nameAt(index), type: 'A', ttl: 60, changetype: 'REPLACE', records }];
      const reply = await fetch(`http://127.0.0.1:${apiPort}/api/v1/servers/localhost/zones/${zone}`, {
        ...{ method: 'PATCH', headers: { 'X-API-Key': apiKey } },
        body: JSON.stringify({ rrsets }),
      });
      if (reply.status !== 204) throw new Error(`PowerDNS: ${reply.status} ${await reply.text()}`);
    },
  };
}

function fill(path: string, origin: string, names: number, kind: Kind): void {
  using database = new DatabaseSync(path, { timeout: 10_000 });
  const id = database.prepare('SELECT id FROM domains WHERE name = ?').get(origin)?.id as number;
  const insert = database.prepare(
    'INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (?, ?, ?, ?, 60, 1)',
  );
  database.exec('BEGIN');
  for (let index = 0; index < names; index += 1) {
    const name = nameAt(index).slice(0, -1);
    if (kind === 'PLAIN') for (const address of addresses) insert.run(id, name, 'A', address);
    else insert.run(id, name, 'LUA', index % 2 === 0 ? weighted : byNetwork);
  }
  database.exec('COMMIT');
}

const weighted = `A "pickwrandom({{1,'${addresses[0]}'},{2,'${addresses[1]}'}})"`;
const byNetwork = `A ";if(netmask({'${blocks.eu}'})) then return '${addresses[0]}' else return '${addresses[1]}' end"`;
