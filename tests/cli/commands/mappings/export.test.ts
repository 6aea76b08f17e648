// `tidegate mappings export`, with every possible interruption by the server.
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { runCommand, startCommand } from '../run-command.ts';

const env = { TIDEGATE_TOKEN: 'tg_some' };
let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});

/** The address of an endpoint whose export comes from `answer`. */
async function exporting(answer: (response: ServerResponse, url: string) => void): Promise<string> {
  server = createServer((request, response) => answer(response, request.url ?? ''));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tidegate/graphql`;
}
const ndjson = { 'content-type': 'application/x-ndjson; charset=utf-8' };
const before = '{"id":"m0"}\n{"after":"p0"}\n';
let place: string;
let target: string;
beforeEach(async () => {
  place = await mkdtemp(join(folder.path, 'export-'));
  target = join(place, 'mappings.ndjson');
  await writeFile(target, before);
});
const files = async () => (await readdir(place)).sort();

test('the export goes to standard output, and the position is reported', async () => {
  const asked: string[] = [];
  const url = await exporting((response, path) => {
    asked.push(path);
    response.writeHead(200, ndjson).write('{"id":"m1"}\n{"id":');
    setTimeout(() => response.end('"m2"}\n{"after":"p2"}\n'), 20);
  });
  const { exitCode, stdout, stderr } = await runCommand(['mappings', 'export', '--after', 'p1', '--url', url], {
    env,
  });
  expect([exitCode, stdout]).toEqual([0, '{"id":"m1"}\n{"id":"m2"}\n{"after":"p2"}\n']);
  expect(stderr).toBe('tidegate: 2 lines exported; for later changes use --after p2\n');
  expect(asked).toEqual(['/tidegate/export/mappings.ndjson?after=p1']);
});

test('a file gets its final name only after the last line', async () => {
  let finish = (): void => {};
  const url = await exporting((response) => {
    response.writeHead(200, ndjson).write('{"id":"m1"}\n');
    finish = () => response.end('{"after":"p"}\n');
  });
  const run = startCommand(['mappings', 'export', '--file', target, '--url', url], { env });
  const partial = await waitFor('the first line', async () => {
    const name = (await files()).find((each) => each.endsWith('.partial'));
    return name !== undefined && (await readFile(join(place, name), 'utf8')) !== '' && name;
  });
  expect(partial).toMatch(/^mappings\.ndjson\.\d+\.partial$/);
  expect(await readFile(target, 'utf8')).toBe(before);
  finish();
  expect(await run.exitCode).toBe(0);
  expect(await files()).toEqual(['mappings.ndjson']);
  expect(await readFile(target, 'utf8')).toBe('{"id":"m1"}\n{"after":"p"}\n');
});

test.each<[string, (response: ServerResponse) => void]>([
  ['the last line is missing', (response) => response.writeHead(200, ndjson).end('{"id":"m2"}\n')],
  ['the last line is incomplete', (response) => response.writeHead(200, ndjson).end('{"id":"m2"}\n{"after":"p"}')],
  ['nothing comes', (response) => response.writeHead(200, ndjson).end()],
  [
    'the connection breaks',
    (response) => {
      response.writeHead(200, ndjson).write('{"id":"m2"}\n');
      setTimeout(() => response.destroy(), 20);
    },
  ],
])('%s: exit code 3, and the previous file is unchanged', async (_name, answer) => {
  const url = await exporting(answer);
  const { exitCode, stderr } = await runCommand(['mappings', 'export', '--file', target, '--url', url], { env });
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining('the export was interrupted')]);
  expect(await files()).toEqual(['mappings.ndjson']);
  expect(await readFile(target, 'utf8')).toBe(before);
});

test("a refusal, another kind of page, and a file that can't be created", async () => {
  const body = JSON.stringify({ errors: [{ message: 'too old', extensions: { code: 'CURSOR_EXPIRED' } }] });
  const refusing = await exporting((response) => response.writeHead(410).end(body));
  const refused = await runCommand(['mappings', 'export', '--url', refusing], { env });
  expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([1, '', 'tidegate: CURSOR_EXPIRED: too old\n']);
  server?.close();
  const page = await exporting((response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'));
  expect((await runCommand(['mappings', 'export', '--url', page], { env })).exitCode).toBe(3);
  server?.close();
  const fine = await exporting((response) => response.writeHead(200, ndjson).end('{"after":"p"}\n'));
  const nowhere = await runCommand(['mappings', 'export', '--file', '/nowhere/x', '--url', fine], { env });
  expect([nowhere.exitCode, nowhere.stderr]).toEqual([1, "tidegate: /nowhere/x can't be written: ENOENT\n"]);
});

test('a token that has ended, but only by the server clock, is renewed', async () => {
  const bearers: (string | undefined)[] = [];
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const tokens = (number: number) => ({
    ...{ accessToken: `access-${number}`, accessTokenExpiresAt: inAnHour },
    ...{ refreshToken: `refresh-${number}`, refreshTokenExpiresAt: inAnHour, userErrors: [] },
  });
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = Buffer.concat(parts).toString();
    if (asked.includes('sessionRefresh(')) response.end(JSON.stringify({ data: { sessionRefresh: tokens(1) } }));
    else if (asked !== '') response.end(JSON.stringify({ data: { login: tokens(0) } }));
    else {
      bearers.push(request.headers.authorization);
      if (bearers.length === 1) response.writeHead(401).end('{"errors":[{"message":"log in"}]}');
      else response.writeHead(200, ndjson).end('{"after":"p"}\n');
    }
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  await writeFile(join(place, 'password'), 'open sesame');
  const user = ['--user', 'ann', '--password-file', join(place, 'password')];
  expect(await runCommand(['mappings', 'export', '--url', url, ...user])).toMatchObject({ exitCode: 0 });
  expect(bearers).toEqual(['Bearer access-0', 'Bearer access-1']);
});

test('Ctrl-C leaves no partial file', async () => {
  const url = await exporting((response) => response.writeHead(200, ndjson).write('{"id":"m1"}\n'));
  const run = startCommand(['mappings', 'export', '--file', target, '--url', url], { env });
  await waitFor('the file', async () => (await files()).length === 2);
  run.interrupt();
  expect([await run.exitCode, run.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
  expect(await files()).toEqual(['mappings.ndjson']);
  expect(await readFile(target, 'utf8')).toBe(before);
});
