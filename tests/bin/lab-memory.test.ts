// The parts of the lab at its next start.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLog } from '../../embedded/setup-log.ts';
import { Lab } from '../../lab/control-plane/lab.ts';
import type { LabSource } from '../../lab/lab-source.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test('it remembers all parts that are added at the same time, and none that are removed at that time', async () => {
  const backend = { driver: 'linux-nftables', host: '127.0.0.1', port: 1, credentials: {} };
  const rootSource: LabSource = {
    start: async () => ({ available: true, part: { backend, reaches: [] } }),
    trouble: async () => {},
    act: async () => {},
    clear: async () => {},
    remove: async () => {},
    stop: async () => {},
  };
  const lab = await Lab.open({
    ...{ dataPath: folder.path, asked: ['firewall'], rootSource, log: silentLog },
    signal: new AbortController().signal,
  });
  await Promise.all([lab.add('openvswitch'), lab.remove('firewall', false), lab.add('apache')]);
  const remembered = await readFile(join(folder.path, 'lab-parts', 'parts.json'), 'utf8');
  expect(JSON.parse(remembered)).toEqual(['openvswitch', 'apache']);
});
