// The facts that a host reports about itself when it connects. A fault of one host must not become a fault of every
// load balancer.
import { expect, test } from '@jest/globals';
import pino from 'pino';
import type { Database } from '../../../../../platform/database/database.ts';
import type { LinkPeer } from '../../../../../platform/link/link-server.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { createLocalWake } from '../../../../../platform/work/wake.ts';
import { HostSessions } from '../../../../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import type { NodeDocuments } from '../../../../../subgraphs/loadbalancer/control/hosts/node-documents.ts';

const facts = {
  ...{ provider: 'NETNS', site: null, publicRange: '192.0.2.0/24', managementRange: '198.51.100.0/24' },
  ...{ tunnelAddress: null, maxNodes: 10, healthPort: 8399 },
};
const reached = new Error('the database was asked');

function connect(change: object): Promise<unknown> {
  const db = { transaction: () => Promise.reject(reached) } as unknown as Database;
  const documents = {} as NodeDocuments;
  const sessions = new HostSessions({ db, documents, wake: createLocalWake(), log: pino({ level: 'silent' }) });
  const machine = { role: 'lbhost', name: 'host-1', id: newUuid() };
  const peer = { machine, facts: { ...facts, ...change }, held: new Map(), send: () => {}, close: () => {} };
  return sessions.open(peer as unknown as LinkPeer);
}

test('found by reading: invalid ranges and addresses are refused before they are recorded', async () => {
  await expect(connect({})).rejects.toBe(reached);
  for (const change of [{ publicRange: '' }, { managementRange: 'all of it' }, { tunnelAddress: '10.0.0.300' }])
    await expect(connect(change)).rejects.toThrow(/host-1 sent no valid facts/);
}, 10_000);
