// A device of the lab is the same after a restart, even if its port is taken or its memory is damaged.

import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLog } from '../../embedded/setup-log.ts';
import type { DeviceBackend } from '../../lab/device.ts';
import { FileMemory } from '../../lab/devices/file-memory.ts';
import { plainLabFolder } from '../../lab/folders.ts';
import { LabHere } from '../../lab/lab-source.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let lab: LabHere;

beforeEach(async () => {
  folder = await temporaryFolder();
  lab = newLab();
});
afterEach(async () => {
  await lab.stop();
  await folder.remove();
});

const newLab = () => new LabHere(folder.path, new AbortController().signal);

async function start(log = silentLog): Promise<DeviceBackend> {
  const answer = await lab.start('bigip', log);
  if (!answer.available) throw new Error(answer.unavailable);
  if (answer.part.backend === undefined) throw new Error('it has no backend');
  return answer.part.backend;
}

test('the device has the same address, proof of identity and password again, and others in another folder', async () => {
  const first = await start();
  await lab.stop();
  lab = newLab();
  expect(await start()).toEqual(first);
  await lab.remove('bigip');
  const next = await start();
  expect(next.credentials).not.toEqual(first.credentials);
  expect(next.certificateSha256).not.toBe(first.certificateSha256);
});

test('if another program uses its port, the device takes another port and keeps the rest', async () => {
  const first = await start();
  await lab.stop();
  lab = newLab();
  const other = createServer().listen(first.port, '127.0.0.1');
  await once(other, 'listening');
  const { port, ...rest } = await start();
  expect(port).not.toBe(first.port);
  expect({ ...rest, port: first.port }).toEqual(first);
  other.close();
});

test('damaged data is moved aside with a warning', async () => {
  const path = join(folder.path, plainLabFolder, 'bigip');
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'configuration'), 'not what it wrote');
  const warnings: string[] = [];
  await start({ ...silentLog, warn: (message) => warnings.push(message) });
  expect(warnings).toEqual([expect.stringContaining('configuration.damaged')]);
  expect(await readFile(join(path, 'configuration.damaged'), 'utf8')).toBe('not what it wrote');
});

test('the memory restores maps and sets, and a failed write is a warning', async () => {
  const memory = new FileMemory(folder.path, silentLog);
  expect(memory.read()).toBeUndefined();
  const state = { rows: new Map([['a', { tags: new Set([1, 2]), none: undefined }]]) };
  memory.write(state);
  expect(new FileMemory(folder.path, silentLog).read()).toEqual(state);
  expect(await readdir(folder.path)).toEqual(['configuration']);
  const warnings: string[] = [];
  new FileMemory(join(folder.path, 'gone'), { ...silentLog, warn: (message) => warnings.push(message) }).write(state);
  expect(warnings).toEqual([expect.stringContaining('is not kept')]);
});
