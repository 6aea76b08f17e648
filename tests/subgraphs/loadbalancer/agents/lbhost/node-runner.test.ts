// The host's reports about a node whose attempts fail, without HAProxy.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { Turns } from '../../../../../platform/work/turns.ts';
import type { Confinement } from '../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { type NodeReport, NodeRunner } from '../../../../../subgraphs/loadbalancer/agents/lbhost/node-runner.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { wantedNode } from '../../support/wanted.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-runner-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('one failed attempt on a busy machine is not an ERROR; three in a row are', async () => {
  const wanted = wantedNode(newUuid(), []);
  const told: { readonly attempts: number; readonly report: NodeReport }[] = [];
  let attempts = 0;
  const runner = new NodeRunner(wanted, {
    ...{ folder, haproxy: '/nowhere/haproxy', keepalived: '/nowhere/keepalived', healthPort: 1 },
    provider: {
      name: 'LOOPBACK',
      make: async () => {
        attempts += 1;
        throw new Error('ip did not end in time');
      },
      remove: async () => undefined,
      list: async () => [],
    },
    confinement: {} as Confinement,
    turns: new Turns(1),
    log: pino({ level: 'silent' }),
    addressesOf: () => [],
    wanted: () => wanted,
    fault: () => undefined,
    report: (report) => told.push({ attempts, report }),
    ...{ memberReport: () => undefined, trafficReport: () => undefined, statisticsReport: () => undefined },
  });
  await runner.start();
  await waitFor('the error', () => told.some(({ report }) => report.error !== null));
  await runner.leave();
  expect(told.map((each) => ({ attempts: each.attempts, error: each.report.error }))).toEqual([
    { attempts: 1, error: null },
    { attempts: 3, error: 'ip did not end in time' },
  ]);
});
