// npm run dev: one address serves the dashboard from its sources, together with the product. A save restarts the product, and Ctrl-C leaves
// no process.
// needs: system, dashboard, mariadb-server-core, mariadb-client-core, redis-tools, util-linux
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../support/machine/free-port.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
let folder: TemporaryFolder;
let dev: ChildProcess;
let output = '';
let pages: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const [port, pagesPort] = [await freePort(), await freePort()];
  pages = `http://127.0.0.1:${pagesPort}`;
  const ports = ['--port', String(port), '--pages-port', String(pagesPort)];
  const words = [join(root, 'tools/dev.ts'), ...ports, '--data', join(folder.path, 'data'), '--log-level', 'warn'];
  const { PATH, HOME } = process.env;
  dev = spawn(process.execPath, words, { cwd: root, env: { PATH, HOME }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [dev.stdout, dev.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  await waitFor('the dashboard', () => output.includes(`Dashboard, reloaded as it changes: ${pages}/`));
});
afterAll(async () => {
  dev.kill('SIGKILL');
  await endProcessesOf(folder.path);
  await folder.remove();
});

const starts = () => output.split('Tidegate is ready.').length - 1;
const answer = (path: string) => fetch(`${pages}${path}`, { headers: { accept: 'text/html' } });

test('pages are served from their sources, and everything else by the product', async () => {
  for (const path of ['/', '/relay']) {
    const text = await (await answer(path)).text();
    expect(text).toContain('/@vite/client');
    expect(text).toContain('/src/main.tsx');
  }
  expect(await (await answer('/graphiql')).text()).toContain('/assets/graphiql');
  expect(await (await answer('/src/main.tsx')).text()).toContain('/graphql');
  expect(await (await answer('/health/live')).json()).toBeDefined();
  const asked = await fetch(`${pages}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  expect(await asked.json()).toMatchObject({ data: { __typename: 'Query' } });
});

test('a save restarts the product', async () => {
  const before = starts();
  await utimes(join(root, 'gateway/http/static-files.ts'), new Date(), new Date());
  await waitFor('another start', () => starts() > before);
  await waitFor('an answer', async () => (await answer('/health/live')).ok);
});

test('Ctrl-C ends everything', async () => {
  const ended = once(dev, 'exit');
  dev.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  expect(output).toContain('Stopped.');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  expect(lines.filter((line) => line.includes(folder.path))).toEqual([]);
});
