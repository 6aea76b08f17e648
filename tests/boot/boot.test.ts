// The bootstrap on a small separate checkout, with an npm that only records its calls.
// needs: processes

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ProgramResult, runProgram } from '../../embedded/run-program.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const LOCK = JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } });

let place: TemporaryFolder;
let root: string;

beforeEach(async () => {
  place = await temporaryFolder();
  root = join(place.path, 'checkout');
  await mkdir(root);
  await cp(join(CHECKOUT, 'bin', 'boot'), join(root, 'bin', 'boot'), { recursive: true });
  await cp(join(CHECKOUT, 'bin', 'boot.mjs'), join(root, 'bin', 'boot.mjs'));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  await writeFile(join(root, 'package-lock.json'), LOCK);
  await writeNpm('');
});
afterEach(() => place.remove());

/** An npm that records its arguments and installs a pinned Node, or runs `instead`. */
async function writeNpm(instead: string): Promise<void> {
  const install = `
    import { appendFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
    appendFileSync('${place.path}/npm-calls', process.argv.slice(2).join(' ') + '\\n');
    ${instead}
    rmSync('node_modules', { recursive: true, force: true });
    mkdirSync('node_modules/node-linux-${process.arch}/bin', { recursive: true });
    symlinkSync(process.execPath, 'node_modules/node-linux-${process.arch}/bin/node');`;
  await writeFile(join(place.path, 'npm-cli.mjs'), install);
}

function boot(...args: string[]): Promise<ProgramResult> {
  return runProgram(process.execPath, [join(root, 'bin', 'boot.mjs'), ...args], { env: environment() });
}

/** `building`: the folders that need a build. */
function install(options: { readonly forTests: boolean }, building: readonly string[]): Promise<ProgramResult> {
  const module = JSON.stringify(join(root, 'bin', 'boot', 'node-packages.mjs'));
  const given = JSON.stringify({ root, mayInstall: true, ...options });
  const text = `import { installNodePackages } from ${module};
    await installNodePackages({ ...${given}, progress: { start: () => ({ done() {} }) } }, ${JSON.stringify(building)});`;
  return runProgram(process.execPath, ['--input-type=module', '--eval', text], { env: environment() });
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    npm_execpath: join(place.path, 'npm-cli.mjs'),
    npm_node_execpath: process.execPath,
    npm_config_ignore_scripts: 'true',
  };
}

const npmCalls = async (): Promise<string[]> =>
  (await readFile(join(place.path, 'npm-calls'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

test('installs once without install scripts, and again when the lock file changes', async () => {
  expect(await boot('--help')).toMatchObject({ exitCode: 0, stdout: '' });
  expect(await boot('--help')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await npmCalls()).toEqual(['ci --ignore-scripts --no-audit --no-fund --loglevel=error --omit=dev']);
  await rm(join(root, 'node_modules'), { recursive: true });
  await writeFile(join(root, 'package-lock.json'), LOCK.replace('1.0.0', '2.0.0'));
  expect((await boot('--help')).exitCode).toBe(0);
  expect(await npmCalls()).toHaveLength(2);
});

test('accepts manually installed packages that match the lock file', async () => {
  const bin = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(process.execPath, join(bin, 'node'));
  await writeFile(join(root, 'node_modules', '.package-lock.json'), LOCK);
  expect(await boot('--help')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await npmCalls()).toEqual([]);
  const stamp = (await readFile(join(root, 'node_modules', '.tidegate-lock'), 'utf8')).trim();
  const lock = createHash('sha256').update(`package-lock.json\0${LOCK.length}\0`).update(LOCK).digest('hex');
  expect(stamp).toBe(`${lock} run-time-only`);
});

test('a start accepts the packages of tests, which are more; builds have their own packages', async () => {
  await mkdir(join(root, 'dashboard'));
  await writeFile(join(root, 'dashboard', 'package-lock.json'), LOCK);
  const npmCi = 'ci --ignore-scripts --no-audit --no-fund --loglevel=error';
  expect(await install({ forTests: false }, [])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await npmCalls()).toEqual([`${npmCi} --omit=dev`]);
  expect(await readdir(root)).not.toContain('node_modules.new');
  expect((await install({ forTests: true }, ['dashboard'])).exitCode).toBe(0);
  expect((await npmCalls()).slice(1).sort()).toEqual([`${npmCi} --include=dev`, `${npmCi} --omit=dev`]);
  expect((await install({ forTests: false }, ['dashboard'])).exitCode).toBe(0);
  expect(await npmCalls()).toHaveLength(3);
});

test('a server keeps only the packages that it needs at run time, and installs the others when a build is needed', async () => {
  const packages = {
    '': { dependencies: { client: '1.0.0' }, devDependencies: { prisma: '1.0.0' } },
    'node_modules/client': {
      ...{ version: '1.0.0', peerDependencies: { prisma: '*' } },
      peerDependenciesMeta: { prisma: { optional: true } },
    },
    'node_modules/prisma': { version: '1.0.0', devOptional: true },
  };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
  const npm = join(place.path, 'npm-cli.mjs');
  const more = `const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    for (const path of Object.keys(packages)) mkdirSync(path || '.', { recursive: true });`;
  await writeFile(npm, `import { readFileSync } from 'node:fs';\n${await readFile(npm, 'utf8')}\n${more}`);
  const names = async () => (await readdir(join(root, 'node_modules'))).filter((name) => !name.startsWith('.')).sort();

  expect((await boot('--server')).exitCode).toBe(0);
  expect(await names()).toEqual(['client', `node-linux-${process.arch}`]);
  for (const again of ['--server', '--help']) expect((await boot(again)).exitCode).toBe(0);
  expect(await npmCalls()).toHaveLength(1);

  expect(await install({ forTests: false }, ['.'])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await npmCalls()).toHaveLength(2);
  expect(await names()).toContain('prisma');
});

test('--no-install names what is missing and installs nothing', async () => {
  const result = await boot('--no-install');
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain('npm ci --ignore-scripts');
  expect(await npmCalls()).toEqual([]);
});

test('the graph is composed before a start, and again after one of its source files has changed', async () => {
  await writeNpm('process.exit(0);');
  const bin = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(process.execPath, join(bin, 'node'));
  for (const folder of ['schema', 'tools', 'generated']) await mkdir(join(root, folder));
  const sdl = join(root, 'schema', 'relay.graphql');
  await writeFile(sdl, 'type Query { a: Int }');
  await writeFile(
    join(root, 'tools', 'compose.ts'),
    `import { hash } from 'node:crypto';
    import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
    appendFileSync('${place.path}/composed', '1');
    const hashes = { 'schema/relay.graphql': hash('sha256', readFileSync('schema/relay.graphql')) };
    writeFileSync('generated/schema-hashes.json', JSON.stringify(hashes));`,
  );
  const module = JSON.stringify(join(root, 'bin', 'boot', 'generated-code.mjs'));
  const text = `import { generateCode } from ${module};
    await generateCode({ root: ${JSON.stringify(root)}, progress: { start: () => ({ done() {} }) } });`;
  const prepare = async () => {
    const result = await runProgram(process.execPath, ['--input-type=module', '--eval', text], { env: environment() });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    return (await readFile(join(place.path, 'composed'), 'utf8')).length;
  };
  expect(await prepare()).toBe(1);
  expect(await prepare()).toBe(1);
  await writeFile(sdl, 'type Query { a: Int b: Int }');
  expect(await prepare()).toBe(2);
});

test('reports a failed npm with its output', async () => {
  await writeNpm("console.error('registry on fire'); process.exit(7);");
  const result = await boot('--help');
  expect(result).toMatchObject({ exitCode: 1, stdout: '' });
  expect(result.stderr).toMatch(/"npm ci" ended with 7[\s\S]*registry on fire/);
});

test('reports an npm that does not install the pinned Node', async () => {
  await writeNpm('process.exit(0);');
  expect((await boot('--help')).stderr).toContain(`did not install node-linux-${process.arch}`);
});

test('two starts at the same time install once', async () => {
  await writeNpm('await new Promise((resolve) => setTimeout(resolve, 300));');
  const results = await Promise.all([boot('--help'), boot('--help')]);
  expect(results.map((result) => result.exitCode)).toEqual([0, 0]);
  expect(await npmCalls()).toHaveLength(1);
});

test('SIGTERM to the shell that started it ends npm too', async () => {
  await writeNpm(`appendFileSync('${place.path}/npm-pid', String(process.pid)); setInterval(() => {}, 1000);
    await new Promise(() => {});`);
  const script = `"${process.execPath}" "${join(root, 'bin', 'boot.mjs')}" --help; true`;
  const shell = spawn('sh', ['-c', script], { env: environment(), stdio: 'ignore' });
  const pid = await waitFor('npm to run', async () => {
    const text = await readFile(join(place.path, 'npm-pid'), 'utf8').catch(() => '');
    return text === '' ? undefined : Number(text);
  });
  shell.kill('SIGTERM');
  await once(shell, 'exit');
  await waitFor('npm to end', () => !isRunning(pid));
});

test("each of the lab's devices that has certificates has the program that makes them installed", async () => {
  const { packagesOf } = await import(join(CHECKOUT, 'bin', 'boot', 'system-packages.mjs'));
  const folder = join(CHECKOUT, 'lab', 'devices');
  const makesCertificates = /from '\.\/(identity|joining)\.ts'/;
  const devices = [];
  for (const file of await readdir(folder))
    if (makesCertificates.test(await readFile(join(folder, file), 'utf8'))) devices.push(parse(file).name);
  expect(devices).toEqual(expect.arrayContaining(['balancers', 'clusters', 'neo', 'sites']));
  for (const device of devices)
    expect([device, packagesOf(device, { isRoot: false })]).toEqual([
      device,
      expect.arrayContaining([expect.objectContaining({ name: 'openssl' })]),
    ]);
});
