// The files of keepalived follow the settings of its host. A program that only waits takes the place of keepalived.
// needs: processes
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { plainCell } from '../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/cell.ts';
import { Keepalived } from '../../../../../subgraphs/loadbalancer/agents/lbhost/keepalived.ts';
import { endProcessesOf } from '../../../../support/machine/left-processes.ts';
import { wantedNode } from '../../support/wanted.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-keepalived-'));
});
afterEach(async () => {
  await endProcessesOf(folder);
  await rm(folder, { recursive: true, force: true });
});

test('its script checks the current health port, even if a host with another port started it', async () => {
  const program = join(folder, 'waits');
  await writeFile(program, '#!/bin/sh\nwhile :; do sleep 0.05; done\n', { mode: 0o700 });
  const wanted = {
    ...wantedNode(newUuid(), []),
    ...{ managementAddress: '127.0.0.9', floating: { address: '192.0.2.9', routerId: 7, priority: 150 } },
  };
  const keepalived = (healthPort: number) =>
    new Keepalived({ program, folder, healthPort, cell: () => plainCell(folder) });
  const script = () => readFile(join(folder, 'keepalived', 'haproxy-answers'), 'utf8');
  const pid = () => readFile(join(folder, 'keepalived.pid'), 'utf8');
  await keepalived(8_399).bring(wanted);
  expect(await script()).toContain('/dev/tcp/127.0.0.9/8399');
  const before = await pid();
  const next = keepalived(8_400);
  await next.bring(wanted);
  expect(await script()).toContain('/dev/tcp/127.0.0.9/8400');
  expect(await pid()).toBe(before);
  await next.stop();
}, 30_000);
