// `tidegate lab add` prints each step of a starting part, over the lab's real socket.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { askLab } from '../../cli/lab-client.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { type ControlledLab, openControl, openDemoControl } from '../../lab/control-plane/control.ts';
import { type DeviceRow, LabRefusal } from '../../lab/control-plane/lab.ts';
import { demoFolderIn } from '../../lab/ha/places.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { runCommand } from './commands/run-command.ts';

const row: DeviceRow = {
  ...{ part: 'clusters', state: 'RUNNING', backend: null, driver: null, address: null },
  ...{ trouble: 'none', note: 'clusters' },
};

let folder: TemporaryFolder;
let stop = async () => {};
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await stop();
  await folder.remove();
});

const never = () => Promise.reject(new Error('not asked for'));

async function open(add: ControlledLab['add']): Promise<void> {
  const place = demoFolderIn(folder.path);
  await mkdir(place, { recursive: true });
  const lab = { list: () => [row], hosts: () => [], add, remove: never, trouble: never, act: never };
  const control = await openDemoControl(place, join(folder.path, 'lab.sock'), lab);
  stop = () => control.stop();
}

test('each step is a line on standard error, and standard output has only the table', async () => {
  await open(async (_, onStep) => {
    onStep('north: starting its MariaDB');
    onStep('a line\nfeed and \u001b');
  });
  const { exitCode, stdout, stderr } = await runCommand([
    'lab',
    'add',
    'clusters',
    '--no-install',
    '--data',
    folder.path,
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^PART .*\nclusters +RUNNING/);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.every((line) => /^ *\d+\.\d s {2}clusters: /.test(line))).toBe(true);
  expect(stderr).toContain('clusters: north: starting its MariaDB\n');
  expect(stderr).not.toContain('\u001b');
  expect(lines.at(-1)).toMatch(/clusters: runs$/);
});

test('steps appear as they happen, and the answer is the refusal after them', async () => {
  const go = Promise.withResolvers<void>();
  await open(async (_, onStep) => {
    onStep('one');
    await go.promise;
    throw new LabRefusal('there is no room');
  });
  const steps: string[] = [];
  const asked = askLab(folder.path, { do: 'add', part: 'clusters' }, new AbortController().signal, (step) => {
    steps.push(step);
    go.resolve();
  });
  await expect(asked).rejects.toThrow('there is no room');
  expect(steps).toEqual(['one']);
});

test('a starting lab answers lists, and handles other requests once its parts have started', async () => {
  const data = await openDataFolder(folder.path, { version: 1 });
  const serves = Promise.withResolvers<void>();
  const added: string[] = [];
  const add = async (device: string) => void added.push(device);
  const lab = { list: () => [row], hosts: () => [], add, remove: never, trouble: never, act: never };
  const control = await openControl(data, lab, serves.promise);
  stop = async () => {
    await control.stop();
    await data.close();
  };
  const { signal } = new AbortController();
  const steps: string[] = [];
  const waits = Promise.withResolvers<void>();
  const asked = askLab(folder.path, { do: 'add', part: 'clusters' }, signal, (step) => {
    steps.push(step);
    waits.resolve();
  });
  await waits.promise;
  expect(await askLab(folder.path, { do: 'list' }, signal)).toEqual([row]);
  expect([steps, added]).toEqual([['waiting for the parts that are starting'], []]);
  serves.resolve();
  expect(await asked).toEqual([row]);
  expect(added).toEqual(['clusters']);
});

test('lab hosts without hosts lists the parts that have some, and the places of devices', async () => {
  await open(async () => {});
  const run = (...more: readonly string[]) => runCommand(['lab', 'hosts', '--data', folder.path, ...more]);
  const { exitCode, stdout, stderr } = await run();
  expect([exitCode, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/^tidegate: no part with hosts is running: those are routers, balancers, sites, clusters/);
  expect(stderr).toContain('"tidegate lab list"');
  expect(await run('--json')).toMatchObject({ exitCode: 0, stdout: '[]\n', stderr: '' });
});
