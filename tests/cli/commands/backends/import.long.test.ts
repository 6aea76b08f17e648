// `backends import` on a real system, twice, and files with every kind of fault, which change nothing and show no secret.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder } from '../../../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../../../support/product/running-system.ts';
import { GraphServer, goodToken, pageOf } from '../graph-server.ts';
import { runCommand } from '../run-command.ts';

const secret = `s3cret-${randomBytes(6).toString('hex')}`;
const hostKey = (letter: string) => `SHA256:${letter.repeat(43)}`;

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'fw.password'), `${secret}\n`);
  await writeFile(join(folder.path, 'fw.key'), `-----BEGIN KEY-----\n${secret}\n-----END KEY-----`);
});
afterAll(() => folder.remove());

async function importFile(text: string, at: readonly string[], more: { args?: string[]; env?: object } = {}) {
  const path = join(folder.path, 'backends.yaml');
  await writeFile(path, text);
  const run = await runCommand(
    ['backends', 'import', path, '--secret-folder', folder.path, ...at, ...(more.args ?? [])],
    {
      env: { TIDEGATE_TOKEN: goodToken, ...more.env },
    },
  );
  expect(`${run.stdout}${run.stderr}`).not.toContain(secret);
  return { ...run, path, json: () => JSON.parse(run.stdout) as Record<string, unknown>[] };
}

describe('on a real system', () => {
  let system: RunningSystem;
  let at: string[];
  const env = () => ({ TIDEGATE_TOKEN: system.token, TIDEGATE_SECRET_FW: secret });

  beforeAll(async () => {
    system = await runningSystem();
    at = ['--url', system.url];
  });
  afterAll(() => system.stop());

  async function shown(name: string): Promise<Record<string, unknown>> {
    const query = `{ backends { nodes { name version site host port labels { name value } cryptoProfile allowInit
      hostKeySha256 limits { concurrency queueLimit deadlineMs } options credentialFields circuit { state } } } }`;
    const answer = await fetch(system.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${system.token}` },
      body: JSON.stringify({ query }),
    });
    const { data } = (await answer.json()) as { data: { backends: { nodes: Record<string, unknown>[] } } };
    return data.backends.nodes.find((each) => each.name === name) ?? {};
  }

  const first = `
- name: fw-1
  driver: linux-nftables
  site: ams1
  labels: { rack: b12, tier: edge }
  host: 192.0.2.1
  limits: { concurrency: 2 }
  hostKeySha256: ${hostKey('a')}
  credentials:
    username: netops
    password: { env: TIDEGATE_SECRET_FW }
- name: fw-2
  driver: linux-nftables
  host: 192.0.2.2
  port: 2222
  allowInit: true
  cryptoProfile: LEGACY
  credentials: { username: netops, privateKey: { file: fw.key } }
`;
  const second = first
    .replace('192.0.2.1', '192.0.2.11')
    .replace('tier: edge', 'tier: core')
    .replace('concurrency: 2', 'concurrency: 3')
    .replace(hostKey('a'), hostKey('b'))
    .replace('site: ams1', 'site: ams2');

  test('a dry run does nothing; the first run creates; the second changes nothing', async () => {
    const dry = await importFile(first, at, { args: ['--dry-run'], env: env() });
    expect([dry.exitCode, dry.stdout]).toEqual([0, expect.stringMatching(/^fw-1 +2 +WOULD_CREATE +-$/m)]);
    expect(await shown('fw-1')).toEqual({});
    const run = await importFile(first, at, { args: ['--json'], env: env() });
    expect(run.exitCode).toBe(0);
    expect(run.json()).toEqual([
      { name: 'fw-1', line: 2, result: 'CREATED', changed: [], id: expect.any(String), message: null },
      { name: 'fw-2', line: 12, result: 'CREATED', changed: [], id: expect.any(String), message: null },
    ]);
    expect(await shown('fw-1')).toMatchObject({
      ...{ site: 'ams1', host: '192.0.2.1', port: 22, hostKeySha256: hostKey('a'), cryptoProfile: 'MODERN' },
      labels: [
        { name: 'rack', value: 'b12' },
        { name: 'tier', value: 'edge' },
      ],
      limits: { concurrency: 2, queueLimit: 1000, deadlineMs: 30_000 },
      credentialFields: ['password', 'username'],
    });
    expect(await shown('fw-2')).toMatchObject({ port: 2222, allowInit: true, cryptoProfile: 'LEGACY', site: null });
    const again = await importFile(first, at, { env: env() });
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toMatch(/^fw-1 +2 +UNCHANGED +-\nfw-2 +12 +UNCHANGED +-$/m);
    expect(await shown('fw-1')).toMatchObject({ version: 1 });
  });

  test('differences are changed and listed; fields that the file leaves out are kept', async () => {
    const dry = await importFile(second, at, { args: ['--dry-run'], env: env() });
    const differs = 'site, host, hostKeySha256, limits.concurrency, labels, credentials';
    expect(dry.stdout).toMatch(new RegExp(`^fw-1 +2 +WOULD_UPDATE +${differs}$`, 'm'));
    const run = await importFile(second, at, { args: ['--json'], env: env() });
    expect(run.json()).toMatchObject([{ result: 'UPDATED', changed: differs.split(', ') }, { result: 'UNCHANGED' }]);
    expect(await shown('fw-1')).toMatchObject({
      ...{ site: 'ams2', host: '192.0.2.11', port: 22, hostKeySha256: hostKey('b') },
      limits: { concurrency: 3, queueLimit: 1000 },
    });
    const fewer = second.replace('  site: ams2\n', '').replace('  limits: { concurrency: 3 }\n', '');
    expect((await importFile(fewer, at, { env: env() })).stdout).toMatch(/^fw-1 +2 +UNCHANGED/m);
    expect(await shown('fw-1')).toMatchObject({ site: 'ams2', limits: { concurrency: 3 } });
  });

  test("options are compared including the driver's defaults", async () => {
    const withOptions = second.replace('host: 192.0.2.2', 'host: 192.0.2.2\n  options: { transport: ssh }');
    expect((await importFile(withOptions, at, { env: env() })).stdout).toMatch(/^fw-2 +12 +UNCHANGED/m);
    const withPorts = second.replace('host: 192.0.2.2', 'host: 192.0.2.2\n  options: { ports: { ssh: 22 } }');
    expect((await importFile(withPorts, at, { env: env() })).stdout).toMatch(
      /^fw-2 +12 +UPDATED +options, credentials$/m,
    );
    expect(await shown('fw-2')).toMatchObject({ options: { transport: 'ssh', ports: { ssh: 22 } } });
  });

  test('credentials of another kind are sent, and those of the same kind only on request', async () => {
    const other = second.replace('password: { env: TIDEGATE_SECRET_FW }', 'privateKey: { file: fw.key }');
    expect((await importFile(other, at, { env: env() })).stdout).toMatch(/^fw-1 +2 +UPDATED +credentials$/m);
    expect(await shown('fw-1')).toMatchObject({ credentialFields: ['privateKey', 'username'] });
    expect((await importFile(other, at, { env: env() })).stdout).toMatch(/^fw-1 +2 +UNCHANGED/m);
    const renewed = await importFile(other, at, { args: ['--renew-credentials'], env: env() });
    expect(renewed.stdout).toMatch(/^fw-1 +2 +UPDATED +credentials\nfw-2 +12 +UPDATED +credentials$/m);
  });

  test.each([
    ['with colons', `${'AB:'.repeat(31)}AB`],
    ['without colons', 'cd'.repeat(32)],
  ])("a certificate's fingerprint in hexadecimal %s is the same at the second import", async (form, fingerprint) => {
    const name = `neo ${form}`.replaceAll(' ', '-');
    const text = `- name: ${name}
  driver: neo
  host: ${name}.example
  certificateSha256: '${fingerprint}'
  credentials: { username: netops, password: { env: TIDEGATE_SECRET_FW } }
`;
    const created = await importFile(text, at, { args: ['--json'], env: env() });
    expect(created.json()).toMatchObject([{ name, result: 'CREATED' }]);
    const again = await importFile(text, at, { args: ['--json'], env: env() });
    expect(again.json()).toMatchObject([{ name, result: 'UNCHANGED', changed: [] }]);
    expect(await shown(name)).toMatchObject({ version: 1 });
  });

  test('a driver that the server lacks or defines differently is a fault of the file', async () => {
    const wrong = second
      .replace('driver: linux-nftables', 'driver: no-such')
      .replace('host: 192.0.2.2', 'host: 192.0.2.2\n  options: { transport: telnet, colour: red }')
      .replace('privateKey: {', 'apiToken: {');
    const run = await importFile(wrong, at, { env: env() });
    expect(run.exitCode).toBe(1);
    const lines = run.stderr.split('\n');
    expect(lines[0]).toBe(`tidegate: ${run.path} has 6 faults; nothing was done`);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/yaml:3: fw-1: no driver has that name; the drivers are .*linux-nftables/),
      expect.stringMatching(/yaml:3: fw-1: the backend has the driver linux-nftables, which can't be changed/),
      expect.stringMatching(/yaml:15: fw-2: options\.(transport|colour)/),
      expect.stringMatching(/yaml:15: fw-2: options\.(transport|colour)/),
      expect.stringMatching(/yaml:19: fw-2: credentials.apiToken has a control character/),
      expect.stringMatching(/yaml:19: fw-2: credentials.apiToken: not used by the driver linux-nftables/),
      '',
    ]);
  });
});

describe('files with faults, and servers that fail', () => {
  let server: GraphServer;
  let at: string[];

  beforeAll(async () => {
    server = await GraphServer.start();
    at = ['--url', server.url];
  });
  afterAll(() => server.stop());

  const optionsSchema = { type: 'object', properties: {}, additionalProperties: false };
  const fields = ['username', 'password', 'privateKey', 'passphrase', 'apiToken', 'clientCertificate'];
  const existing: Record<string, unknown>[] = [];
  const answers = {
    relayDrivers: () => [{ name: 'd', optionsSchema, credentialFields: fields }],
    backends: (args: { first: number; after: string | null }) => pageOf(existing, args),
  };
  const entry = (name: string) =>
    `- { name: ${name}, driver: d, host: h.example, credentials: { username: u, password: { file: fw.password } } }\n`;

  beforeEach(() => {
    server.requests.length = 0;
    existing.length = 0;
    server.answers = answers;
  });

  test('reports all faults at once, each with its line, and no secret in any of them', async () => {
    const text = `- name: one
  driver: d
  host: "no host"
  prot: 22
  port: "22"
  site: 12
  labels: { rack: 12, "a b": c }
  limits: { concurrency: 99, queue: 3, deadlineMs: soon }
  hostKeySha256: abc
  cryptoProfile: strong
  allowInit: "yes"
  caCertificates: none
  caCertificatesFile: fw.password
  credentials:
    username: u
    password: ${secret}
    privateKey: { file: no-such-file }
    passphrase: { env: TIDEGATE_SECRET_NONE }
    apiToken: { vault: ${secret} }
    ${secret}: yes
- name: two
  name: twice
  credentials: { password: { env: TIDEGATE_SECRET_EMPTY } }
- name: one
  driver: d
  host: h
  credentials: { username: u }
- ${secret}
`;
    const run = await importFile(text, at, { env: { TIDEGATE_SECRET_EMPTY: '' }, args: ['--json'] });
    expect(run.exitCode).toBe(1);
    const { faults } = JSON.parse(run.stdout) as { faults: { line: number; backend: string; message: string }[] };
    const found = faults.map(({ line, message }) => [line, message]);
    const about = (line: number, part: string) => [line, expect.stringContaining(part)];
    expect(found).toEqual(
      expect.arrayContaining([
        about(3, 'host is "no host"'),
        about(4, '"prot" is not a field; the fields are name, driver'),
        about(5, 'port must be a number'),
        about(6, 'site must be text: write it in quotes'),
        about(7, 'labels.rack must be text'),
        about(7, 'labels.0.name is "a b"'),
        about(8, 'limits.concurrency is 99'),
        about(8, 'limits: "queue" is not a field'),
        about(8, 'limits.deadlineMs must be a number'),
        about(9, 'hostKeySha256'),
        about(10, 'cryptoProfile must be one of MODERN, COMPAT, LEGACY'),
        about(11, 'allowInit must be true or false'),
        about(13, 'give caCertificates or caCertificatesFile, not both'),
        about(16, 'credentials.password is written in the file'),
        about(17, "no-such-file can't be read: there is no such file"),
        about(18, 'credentials.passphrase: TIDEGATE_SECRET_NONE is not set in the environment'),
        about(19, 'credentials.apiToken must be { file: PATH } or { env: NAME }'),
        about(20, 'credentials has an unknown field'),
        about(22, 'not YAML: duplicate key'),
        about(21, 'driver is missing'),
        about(21, 'host is missing'),
        about(23, 'credentials.username is missing'),
        about(23, 'credentials.password: TIDEGATE_SECRET_EMPTY is empty'),
        about(24, 'this name is also on line 1'),
        about(27, 'credentials must have a password, a private key or an API token'),
        about(28, 'a backend must be a map'),
      ]),
    );
    expect(found).toHaveLength(27);
    expect(run.stderr).toContain(`${run.path}:16: one: credentials.password is written in the file: put it into`);
    // Only drivers and backends were requested.
    expect(server.requests.map((variables) => Object.keys(variables))).toEqual([[], ['first', 'after']]);
  });

  test.each([
    ['not YAML', `- name: [one\n  password: ${secret}\n`, /:[12]: not YAML: /],
    ['a tag', `- !secret ${secret}\n`, /:1: not YAML: tag resolve failed/],
    ['no list', 'backends: []\n', /:1: the file must be a list of 1 to 1000 backends/],
    ['an empty list', '[]\n', /the file must be a list/],
    ['nothing', '', /the file must be a list/],
    ['an undefined alias', '- *none\n', /:1: not YAML/],
    [
      'a bomb of aliases',
      `- &a [x, x, x, x, x, x, x, x, x]\n- &b [${'*a, '.repeat(40)}*a]\n- &c [${'*b, '.repeat(40)}*b]\n- [${'*c, '.repeat(40)}*c]\n`,
      /not YAML: its aliases/,
    ],
  ])('%s: exit code 1, nothing done', async (_what, text, message) => {
    const run = await importFile(text, at);
    expect([run.exitCode, run.stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test('a file that does not exist', async () => {
    const run = await runCommand(['backends', 'import', '/nowhere.yaml', ...at], {
      env: { TIDEGATE_TOKEN: goodToken },
    });
    expect([run.exitCode, run.stderr]).toEqual([1, "tidegate: /nowhere.yaml can't be read: there is no such file\n"]);
  });

  test('a refusal affects one backend and the others are done; exit code 1; a secret in the answer is hidden', async () => {
    const refusal = {
      code: 'INVALID_INPUT',
      message: `host is bad for ${secret}`,
      field: ['input', 'host'],
      retry: 'NEVER',
    };
    server.answers = {
      ...answers,
      backendCreate: ({ input }: { input: { name: string } }) =>
        input.name === 'b' ? { backend: null, userErrors: [refusal] } : { backend: existingBackend(), userErrors: [] },
    };
    const run = await importFile(`${entry('a')}${entry('b')}${entry('c')}`, at, { args: ['--json'] });
    expect([run.exitCode, run.stderr]).toEqual([1, 'tidegate: 1 of 3 backends were refused\n']);
    expect(run.json()).toMatchObject([
      { name: 'a', result: 'CREATED', id: 'id-x' },
      { name: 'b', result: 'REFUSED', message: 'INVALID_INPUT: host is bad for •••' },
      { name: 'c', result: 'CREATED' },
    ]);
    const sent = server.requests.filter((each) => 'input' in each).map((each) => each.input);
    expect(sent[0]).toEqual({
      ...{ name: 'a', driver: 'd', host: 'h.example', idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      credentials: { username: 'u', password: secret },
    });
  });

  test('a server that is lost during the run: a report of what is unknown and what is not done; exit code 3', async () => {
    let created = 0;
    server.answers = {
      ...answers,
      backendCreate: () => {
        created += 1;
        if (created === 2) server.dropConnections();
        return { backend: existingBackend(), userErrors: [] };
      },
    };
    const run = await importFile(`${entry('a')}${entry('b')}${entry('c')}`, at, { args: ['--json'] });
    expect([run.exitCode, run.stderr]).toEqual([3, expect.stringContaining('run the import again')]);
    expect(run.json().map(({ result }) => result)).toEqual(['CREATED', 'NO_ANSWER', 'NOT_DONE']);
    expect(created).toBe(2);
  });

  test('two projects with a backend of that name: --project is required', async () => {
    existing.push(existingBackend('a'), existingBackend('a'));
    const run = await importFile(entry('a'), at);
    expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining('give --project')]);
  });

  function existingBackend(name = 'x'): Record<string, unknown> {
    return {
      ...{ id: 'id-x', version: 3, name, driverName: 'd', site: null, labels: [], host: 'h.example', port: 1 },
      ...{
        limits: { concurrency: 1, queueLimit: 1, deadlineMs: 1 },
        cryptoProfile: 'MODERN',
        allowInit: false,
        deletionProtected: false,
        separateObjects: false,
        hostKeySha256: null,
        certificateSha256: null,
      },
      ...{ caCertificates: null, options: {}, credentialFields: ['username', 'password'] },
    };
  }
});
