// `systemd-analyze verify` (package systemd) accepts the systemd units. The command does not need a running systemd.
// needs: systemd
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import {
  agentUnit,
  agentUnitName,
  type SettingsOptions,
  serveUnit,
  serveUnitName,
} from '../../../ha/host/host-settings.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');
const templates = join(checkout, 'docker', 'systemd');
const place = forTest(() => temporaryFolder());

/** The findings about these files, and the exit code. Findings about other units of the machine are ignored. */
async function verify(files: readonly string[]) {
  const { exitCode, stdout, stderr } = await runProgram('systemd-analyze', [
    ...['verify', '--man=no', '--generators=no', ...files],
  ]);
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /tidegate|unit-files/.test(line));
  return { exitCode, lines };
}

async function written(options: Partial<SettingsOptions> = {}): Promise<readonly string[]> {
  const all: SettingsOptions = {
    ...{ dataPath: '/var/lib/tidegate', name: 'a', address: '192.0.2.1', kind: 'data', keyFolder: '/var/lib/keys' },
    ...{ user: { uid: 60_873, gid: 60_873 }, ...options },
  };
  const files = { [agentUnitName]: agentUnit(all), [serveUnitName]: serveUnit(all) };
  for (const [name, text] of Object.entries(files)) await writeFile(join(place.path, name), text);
  return Object.keys(files).map((name) => join(place.path, name));
}

test.each([
  ['as usual', {}],
  ['of root', { user: undefined }],
  ['of a witness', { kind: 'witness' as const }],
  ['in a folder with a difficult name', { dataPath: `/srv/da ta%i$HOME"'\\x` }],
  ['in a home', { dataPath: '/home/somebody/tidegate' }],
  ['of a path that is too long for sockets', { dataPath: `/srv/${'long'.repeat(30)}` }],
])('units that "ha init" and "join" write, %s', async (_name, options) => {
  expect(await verify(await written(options))).toEqual({ exitCode: 0, lines: [] });
});

test('a faulty unit is detected', async () => {
  const [, serve = ''] = await written();
  const text = await readFile(serve, 'utf8');
  await writeFile(serve, text.replace('NoNewPrivileges=', 'NoNewPrivilege='));
  expect((await verify([serve])).lines).toEqual([expect.stringContaining("Unknown key 'NoNewPrivilege'")]);
  await writeFile(serve, text.replace(/^ExecStart=.*$/m, 'ExecStart=/nowhere/tidegate serve'));
  expect(await verify([serve])).toMatchObject({ exitCode: 1, lines: [expect.stringContaining('not executable')] });
});

test('the units in docker/systemd', async () => {
  const units = join(place.path, 'unit-files');
  await mkdir(units);
  // The units expect the program in /opt/tidegate.
  await symlink(checkout, join(place.path, 'checkout'));
  const names = (await readdir(templates)).filter((name) => name.endsWith('.service'));
  expect(names.length).toBeGreaterThan(2);
  for (const name of names) {
    const text = await readFile(join(templates, name), 'utf8');
    await writeFile(join(units, name), text.replaceAll('/opt/tidegate', join(place.path, 'checkout')));
  }
  // For a template, an instance is checked.
  const files = names.map((name) => join(units, name.replace('@.', '@gateway.')));
  expect(await verify(files)).toEqual({ exitCode: 0, lines: [] });
});
