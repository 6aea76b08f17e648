// The data that the control plane gives to the device `balancers`.
import { lstat, mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { balancersGiven, type Given } from '../../lab/balancers/given.ts';
import { plainLabFolder } from '../../lab/folders.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

describe('the data of the control plane', () => {
  let folder: TemporaryFolder;
  const credential = { id: 'x', name: 'lab-host1', token: 't', certificate: 'c', key: 'k', authority: 'a' };
  const host = { ...credential, expiresAt: new Date(0).toISOString() };
  const given: Given = { ports: { endpoint: 1, link: 2, dns: 3 }, hosts: [host, host] };

  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, plainLabFolder));
    await balancersGiven.write(folder.path, given);
  });
  afterAll(() => folder.remove());

  test('is read again, and only its owner can read it', async () => {
    expect(await balancersGiven.read(folder.path)).toEqual(given);
    const path = join(folder.path, plainLabFolder, 'balancers.given.json');
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    // Root reads the data as a stranger's: no link is followed, and only the data's own format is accepted.
    await rename(path, join(dirname(path), 'elsewhere'));
    await symlink(join(dirname(path), 'elsewhere'), path);
    expect(await balancersGiven.read(folder.path)).toBeUndefined();
  });

  test('any other content counts as none', async () => {
    const other = await temporaryFolder();
    await mkdir(join(other.path, plainLabFolder));
    expect(await balancersGiven.read(other.path)).toBeUndefined();
    await balancersGiven.write(other.path, { ...given, ports: { ...given.ports, dns: 70_000 } });
    expect(await balancersGiven.read(other.path)).toBeUndefined();
    await other.remove();
  });
});
