// `tidegate ha init` after an interruption: the same command creates the cluster.
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { init } from '../../../cli/commands/ha/init.ts';
import { dataVersion } from '../../../compose/places.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { databasePath } from '../../../embedded/mariadb.ts';
import { hasHostFile, readHostFile } from '../../../ha/host/host-file.ts';
import { agentSettingsPath } from '../../../ha/host/host-settings.ts';
import { fileExists } from '../../../platform/secrets/key-file.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const place = forTest(() => temporaryFolder());

test('its settings, its units and the tokens of the other hosts exist after the second run', async () => {
  const data = join(place.path, 'a');
  const units = join(place.path, 'units');
  await (await openDataFolder(data, { version: dataVersion })).close();
  // Pretends that a database exists, so that none is started.
  await mkdir(databasePath(data), { recursive: true });
  await writeFile(join(databasePath(data), 'ibdata1'), '');
  const begin = () =>
    init.run({
      options: {
        ...{ name: 'a', address: '127.0.0.1', site: undefined, vip: undefined, lease: undefined, strict: false },
        ...{ 'router-id': undefined, data, units, 'no-install': true, json: true },
      },
      ...{ names: [], stdout: new PassThrough(), stderr: new PassThrough(), env: {} },
      signal: new AbortController().signal,
    } as unknown as Parameters<typeof init.run>[0]);
  // Nothing can be written to this path.
  await symlink(join(place.path, 'none'), units);
  await expect(begin()).rejects.toThrow(/^ENOENT: .*mkdir/);
  expect(await hasHostFile(data)).toBe(false);
  await rm(units);
  await begin();
  expect((await readHostFile(data)).first?.tokens).toHaveLength(2);
  expect(await fileExists(agentSettingsPath(data))).toBe(true);
  expect((await stat(units)).isDirectory()).toBe(true);
  await expect(begin()).rejects.toThrow('ALREADY');
});
