// A power loss may damage the files that a host keeps for its next agent. The agent starts anyway.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type SetupLog, silentLog } from '../../embedded/setup-log.ts';
import { endAddress } from '../../ha/address/virtual-address.ts';
import { haKeys } from '../../ha/agent/keys.ts';
import { LeadHolder } from '../../ha/agent/lead.ts';
import { ServerFile } from '../../ha/agent/server-file.ts';
import type { EtcdClient } from '../../ha/etcd.ts';
import { noteAct, tellNotedActs } from '../../ha/host/noted-acts.ts';
import { signalServed } from '../../ha/served-process.ts';
import { forTest } from '../support/jest/shared.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const place = forTest(() => temporaryFolder());

/** Contents that file systems leave: a file renamed before its content reached the disk, and a file written halfway. */
const damaged = ['', '\0'.repeat(8), '{"id":"a","lea', '[]', '{"pid":"x"}'];

async function write(name: string, text: string): Promise<string> {
  const path = join(place.path, name);
  await writeFile(path, text);
  return path;
}

test.each(damaged)('%j holds no lead, no server and no address, and names no process', async (text) => {
  const file = await write('lead.json', text);
  const etcd = {
    grant: async () => ({ id: '1', ttlSeconds: 5 }),
    keepAlive: async () => true,
    revoke: async () => undefined,
  };
  const options = { etcd, log: silentLog, file, leaseMs: 5_000, mayRenew: () => false, onFence: async () => undefined };
  const holder = await LeadHolder.open(options);
  expect(holder.current).toBeUndefined();
  await holder.prepare();
  holder.close();
  await write('server.json', text);
  expect(await new ServerFile(place.path).running()).toBeUndefined();
  await write('holder.json', text);
  await endAddress(place.path);
  expect(await signalServed(await write('served.json', text), 'SIGUSR2')).toBe(false);
});

test('a lead of this boot is still held', async () => {
  const file = join(place.path, 'lead.json');
  const etcd = {
    grant: async () => ({ id: '1', ttlSeconds: 5 }),
    keepAlive: async () => true,
    revoke: async () => undefined,
  };
  const options = { etcd, log: silentLog, file, leaseMs: 5_000, mayRenew: () => false, onFence: async () => undefined };
  const first = await LeadHolder.open(options);
  const lead = await first.prepare();
  first.close();
  const next = await LeadHolder.open(options);
  expect(next.current).toMatchObject(lead);
  next.close();
});

test('a damaged request of a host is reported and kept, and later requests reach the audit trail', async () => {
  const folder = join(place.path, 'ha', 'acts');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '00000000.json'), '\0'.repeat(80));
  const act = { id: randomUUID(), action: 'haInit', user: 'ada', host: 'a', at: new Date().toISOString(), details: {} };
  await noteAct(place.path, act);
  const stored: string[] = [];
  const etcd = {
    get: async () => ({ revision: 1, entries: [] }),
    transact: async (_conditions: unknown, changes: readonly { readonly put?: string }[]) => {
      stored.push(...changes.flatMap(({ put }) => put ?? []));
      return { done: true, revision: 2 };
    },
  } as unknown as EtcdClient;
  const faults: string[] = [];
  const log: SetupLog = { ...silentLog, error: (message) => faults.push(message) };
  const ending = new AbortController();
  const keys = haKeys('test');
  const telling = tellNotedActs(etcd, keys, { dataPath: place.path, log, signal: ending.signal });
  await waitFor('the later one', () => stored.includes(keys.act(act)));
  await waitFor('its file to go', async () => !(await readdir(folder)).includes(`${act.id}.json`));
  ending.abort();
  await telling;
  expect(await readdir(folder)).toEqual(['00000000.json.damaged']);
  expect(faults).toEqual([expect.stringContaining('00000000.json.damaged is not readable')]);
});
