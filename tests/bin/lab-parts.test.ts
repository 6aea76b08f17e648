// The lab of `npm start`: each part ONLINE and a call of its driver carried out, its configuration over restarts, parts that come
// and go while it runs, and who may do that. The devices' own views are the oracle where they have one.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PartName, partNames, type Trouble } from '../../lab/part.ts';
import { labUnavailable } from '../support/lab.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/temporary-folder.ts';
import { ask, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const run = promisify(execFile);

interface Call {
  readonly operation: {
    readonly id: string;
    readonly state: string;
    readonly deviceError: { code: string } | null;
  } | null;
  readonly mapping: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string }[];
}
interface Row {
  readonly part: PartName;
  readonly state: string;
  readonly address: string | null;
  readonly note: string;
}

const isRoot = process.getuid?.() === 0;
const isHere = (path: string): boolean => isRoot && existsSync(path);
/** The parts whose programs this machine has. */
const here: Readonly<Record<PartName, boolean>> = {
  firewall: labUnavailable() === undefined,
  fortigate: true,
  bigip: true,
  onyx: true,
  neo: true,
  openvswitch: isHere('/usr/sbin/ovsdb-server'),
  apache: isHere('/usr/lib/apache2/modules/mod_security2.so'),
  neutron: existsSync('/usr/lib/python3.11/distutils/versionpredicate.py'),
};
/** A write that each part's driver can make, by its number. */
const writes: Readonly<Record<PartName, (number: number) => readonly [operation: string, args: object]>> = {
  firewall: (number) => ['setElement.add', { set: 'blocked', address: `203.0.113.${number}` }],
  fortigate: (number) => ['address.create', { name: `web-${number}`, address: `192.0.2.${number}` }],
  bigip: (number) => ['pool.create', { name: `web-${number}` }],
  onyx: (number) => ['vlan.create', { vlan: 100 + number }],
  neo: (number) => ['vlan.create', { vlan: 100 + number, name: `net-${number}`, devices: ['10.224.15.29'] }],
  openvswitch: (number) => ['bridge.create', { bridge: `br-${number}` }],
  apache: (number) => [
    'rule.create',
    { site: 'shop.lab', id: 4_000 + number, variables: ['ARGS'], operator: 'contains', pattern: 'teapot' },
  ],
  neutron: (number) => ['network.create', { name: `net-${number}` }],
};

let folder: TemporaryFolder;
let data: string;
let up: UpProcess;
let token: string;
let writesMade = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  data = join(folder.path, 'data');
  up = await startUp(data, ['--lab', 'fortigate,bigip']);
  token = await tokenOf(data);
}, 120_000);

afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  await folder?.remove();
});

async function restart(signal: 'SIGTERM' | 'SIGKILL', args: readonly string[] = []): Promise<void> {
  up.child.kill(signal);
  await up.ended;
  up = await startUp(data, args);
}

async function lab(...words: readonly string[]): Promise<readonly Row[]> {
  const { stdout } = await run(process.execPath, [program, 'lab', ...words, '--data', data, '--json'], {
    timeout: 200_000,
  });
  return JSON.parse(stdout) as readonly Row[];
}

async function refusal(...words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  const place = words.includes('--data') ? [] : ['--data', data];
  const failed = await run(process.execPath, [program, 'lab', ...words, ...place]).then(
    () => undefined,
    (error: { code: number; stderr: string }) => error,
  );
  if (failed === undefined) throw new Error(`lab ${words.join(' ')} was carried out`);
  return { code: failed.code, stderr: failed.stderr };
}

async function backends(): Promise<Readonly<Record<string, { id: string; operatingStatus: string }>>> {
  const query =
    '{ backends(first: 50) { nodes { id name port hostKeySha256 certificateSha256 caCertificates options operatingStatus } } }';
  const { backends: page } = await ask<{
    backends: { nodes: { name: string; id: string; operatingStatus: string }[] };
  }>(up.url, token, query);
  return Object.fromEntries(page.nodes.map((each) => [each.name, each]));
}

function placeOf(backend: object | undefined): object {
  const { operatingStatus: _status, ...place } = { operatingStatus: '', ...backend };
  return place;
}

async function online(part: PartName): Promise<void> {
  await waitFor(
    `lab-${part} to be ONLINE`,
    async () => (await backends())[`lab-${part}`]?.operatingStatus === 'ONLINE',
  );
}

const fields = 'operation { id state deviceError { code } } mapping { id } userErrors { code message }';

async function write(part: PartName, more: object = {}): Promise<Call> {
  writesMade += 1;
  const [operation, args] = writes[part](writesMade);
  const input = {
    ...{ idempotencyKey: `lab-${writesMade}`, backend: { name: `lab-${part}` }, operation, arguments: args },
    ...{ cmpObject: { type: 'tenant', externalId: part }, ...more },
  };
  const query = `mutation ($input: RelayCallInput!) { call: relayCall(input: $input) { ${fields} } }`;
  return (await ask<{ call: Call }>(up.url, token, query, { input })).call;
}

interface Settled extends NonNullable<Call['operation']> {
  readonly evidence: readonly { readonly finding: string }[];
}

async function settle(call: Call, more: object = {}): Promise<Settled | null> {
  const input = { idempotencyKey: randomUUID(), id: call.operation?.id, ...more };
  const query = `mutation ($input: RelayOperationSettleInput!) { call: relayOperationSettle(input: $input) { operation { id state deviceError { code } evidence { finding } } userErrors { code message } } }`;
  const { call: settled } = await ask<{ call: { operation: Settled | null } }>(up.url, token, query, { input });
  return settled.operation;
}

/** A look finds the effect. Onyx marks nothing as the call's own, so that a look alone settles it only after a minute. */
async function settledByLook(part: PartName, call: Call): Promise<boolean> {
  const found = await settle(call);
  if (part !== 'onyx' || found?.state !== 'UNKNOWN') return found?.state === 'SUCCEEDED';
  if (!found.evidence.some(({ finding }) => finding === 'AS_WANTED_SO_FAR')) return false;
  const verdict = { verdict: 'SUCCEEDED', note: 'the device shows it, and its line is free', force: true };
  return (await settle(call, verdict))?.state === 'SUCCEEDED';
}

/** Of a write: some devices make a job of it, which a look then finds done. */
async function done(part: PartName): Promise<Call> {
  const call = await write(part);
  expect([part, call.userErrors]).toEqual([part, []]);
  if (call.operation?.state !== 'ACCEPTED') {
    expect([part, call.operation]).toMatchObject([part, { state: 'SUCCEEDED' }]);
    return call;
  }
  await waitFor(`the job of ${part}`, async () => (await settle(call))?.state === 'SUCCEEDED');
  return call;
}

async function verified(mappingId: string | undefined): Promise<string | undefined> {
  const query =
    'mutation ($input: MappingVerifyInput!) { done: mappingVerify(input: $input) { mapping { lastVerification { result } } } }';
  const { done: answer } = await ask<{ done: { mapping: { lastVerification: { result: string } | null } | null } }>(
    up.url,
    token,
    query,
    { input: { id: mappingId } },
  );
  return answer.mapping?.lastVerification?.result;
}

describe('parts of the lab', () => {
  test('those of --lab are there and no others, registered and ONLINE', async () => {
    const rows = await lab('list');
    expect(rows.map(({ part }) => part)).toEqual(partNames);
    expect(rows.filter(({ state }) => state === 'RUNNING').map(({ part }) => part)).toEqual(['fortigate', 'bigip']);
    expect(Object.keys(await backends()).sort()).toEqual(['lab-bigip', 'lab-fortigate']);
    for (const part of ['fortigate', 'bigip'] as const) await online(part);
  });

  for (const part of partNames.filter((each) => each !== 'neutron')) {
    const testHere = here[part] ? test : test.skip;
    testHere(
      `${part}: added while it runs, ONLINE, and a call of its driver SUCCEEDED`,
      async () => {
        const [row] = await lab('add', part);
        expect(row).toMatchObject({ part, state: 'RUNNING' });
        await online(part);
        await done(part);
      },
      120_000,
    );
  }

  test('all keep their configuration, address and credentials over SIGTERM and kill -9, and in a moved folder', async () => {
    const running = (await lab('list')).filter(({ state }) => state === 'RUNNING');
    expect(running.length).toBeGreaterThan(3);
    const made = new Map<PartName, Call>();
    for (const { part } of running) made.set(part, await done(part));
    const before = await backends();
    const mappings = new Map<PartName, string>();
    for (const [part, call] of made) {
      const query =
        'query ($name: String!) { backends(name: $name) { nodes { mappings(first: 100) { nodes { id } } } } }';
      const { backends: page } = await ask<{ backends: { nodes: { mappings: { nodes: { id: string }[] } }[] } }>(
        up.url,
        token,
        query,
        { name: `lab-${part}` },
      );
      const id = call.mapping?.id ?? page.nodes[0]?.mappings.nodes[0]?.id;
      if (id !== undefined) mappings.set(part, id);
    }
    expect(mappings.size).toBe(running.length);
    const change = async (how: string) => {
      if (how === 'moved') {
        up.child.kill('SIGTERM');
        await up.ended;
        await rename(data, `${data}-moved`);
        data = `${data}-moved`;
        up = await startUp(data);
      } else await restart(how as 'SIGTERM' | 'SIGKILL');
    };
    for (const how of ['SIGTERM', 'SIGKILL', 'moved']) {
      await change(how);
      await waitFor(
        'all parts to run',
        async () => (await lab('list')).filter(({ state }) => state === 'RUNNING').length === running.length,
      );
      const after = await backends();
      for (const { part } of running) {
        const name = `lab-${part}`;
        // The row is as it was: same port and proofs of identity.
        expect([how, part, placeOf(after[name])]).toEqual([how, part, placeOf(before[name])]);
        await online(part);
        expect([how, part, await verified(mappings.get(part))]).toEqual([how, part, 'MATCHES']);
        await done(part);
      }
    }
  }, 400_000);

  test('only the owner of the folder can use the socket, and the devices listen on the loopback', async () => {
    const path = (await readFile(join(data, 'lab-parts', 'control'), 'utf8')).trim();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const { part, address } of await lab('list'))
      if (address !== null && part !== 'firewall')
        expect([part, address]).toEqual([part, expect.stringMatching(/^127\.0\.0\.1:/)]);
    if (isRoot) {
      const other = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, '-e'];
      const script = `require('net').connect(${JSON.stringify(path)}).on('error', (e) => { console.log(e.code); }).on('connect', () => { console.log('in'); process.exit(); })`;
      expect((await run('setpriv', [...other, script])).stdout.trim()).toBe('EACCES');
    }
  });

  test('wrong names are wrong use; what can not be done is refused with the reason', async () => {
    expect(await refusal('add', 'toaster')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('firewall, fortigate'),
    });
    expect(await refusal('trouble', 'fortigate', 'fire')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hang'),
    });
    expect(await refusal('trouble', 'neo', 'full')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("can't have"),
    });
    expect(await refusal('list', '--data', '/nowhere')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no lab runs'),
    });
  });
});

const simulators = ['fortigate', 'bigip', 'onyx', 'neo'] as const;
const deadline = { deadlineMs: 1_500 };
const inTrouble = async (part: PartName, trouble: Trouble): Promise<Call> => {
  await lab('trouble', part, trouble);
  const call = await write(part, deadline);
  return call;
};
const over = async (part: PartName): Promise<void> => {
  await lab('trouble', part, 'none');
  await online(part);
};

/** It takes effect after its connection was lost. */
async function lateCall(part: PartName): Promise<void> {
  const late = await inTrouble(part, 'late');
  expect(late.operation?.state).toBe('UNKNOWN');
  expect((await settle(late))?.state).toBe('UNKNOWN');
  await lab('trouble', part, 'none');
  await waitFor('its effect', () => settledByLook(part, late));
}

/** What a line does to a part behind it. */
async function lineTroubles(part: PartName, unknown: readonly Trouble[]): Promise<void> {
  for (const trouble of unknown) {
    // The line knows no calls: a new connection would not get as far as a call.
    await done(part);
    const call = await inTrouble(part, trouble);
    expect([part, trouble, call.operation?.state]).toEqual([part, trouble, 'UNKNOWN']);
    await over(part);
    await waitFor(`a look after ${trouble}`, async () => (await settle(call))?.state === 'SUCCEEDED');
  }
  const refused = await inTrouble(part, 'refuse');
  expect([part, 'SUCCEEDED', 'UNKNOWN']).not.toContain(refused.operation?.state);
  await over(part);
  await done(part);
}

describe('troubles', () => {
  for (const part of [...simulators, ...(here.firewall ? (['firewall'] as const) : [])])
    test(`${part}: hang and drop leave a call UNKNOWN that a look settles, late one that takes effect after it, refuse a FAILED one`, async () => {
      for (const trouble of ['hang', 'drop'] as const) {
        const call = await inTrouble(part, trouble);
        expect([trouble, call.operation?.state]).toEqual([trouble, 'UNKNOWN']);
        await lab('trouble', part, 'none');
        await waitFor(`a look after ${trouble}`, () => settledByLook(part, call));
      }
      await lateCall(part);
      const refused = await inTrouble(part, 'refuse');
      expect([refused.userErrors, refused.operation?.state]).toEqual([[], 'FAILED']);
      await over(part);
      await done(part);
    }, 120_000);

  for (const part of ['bigip', 'onyx'] as const)
    test(`${part}: full gives no session, so nothing is sent`, async () => {
      const call = await inTrouble(part, 'full');
      const { state, deviceError } = call.operation ?? {};
      // The first, if a session was open before.
      expect(['FAILED NOT_SENT', 'REJECTED SESSION_REFUSED']).toContain(`${state} ${deviceError?.code}`);
      await lab('trouble', part, 'none');
      await waitFor('a session', async () => (await write(part)).operation?.state.match(/SUCCEEDED|ACCEPTED/) !== null);
    }, 120_000);

  (here.openvswitch ? test : test.skip)(
    'openvswitch: its line hangs, drops, delivers late, refuses',
    () => lineTroubles('openvswitch', ['hang', 'drop', 'late']),
    200_000,
  );

  (here.apache ? test : test.skip)('apache: its line refuses', () => lineTroubles('apache', []), 120_000);

  test('when the process of the simulators ends, they are UNAVAILABLE until they are added again', async () => {
    const { stdout } = await run('pgrep', ['--full', `plain-keeper.ts ${data}$`]);
    process.kill(Number(stdout.trim()), 'SIGKILL');
    const row = async () => (await lab('list')).find((each) => each.part === 'bigip');
    await waitFor('its end to be noticed', async () => (await row())?.state === 'UNAVAILABLE');
    expect((await row())?.note).toContain('has ended');
    await lab('add', 'bigip');
    await online('bigip');
    await done('bigip');
    for (const part of simulators) await lab('add', part);
  }, 120_000);
});

describe('removing a part', () => {
  test('is refused while objects of it are mapped, then deletes device and backend and says so', async () => {
    expect(await refusal('remove', 'fortigate')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('HAS_MAPPINGS'),
    });
    expect((await lab('list')).find(({ part }) => part === 'fortigate')?.state).toBe('RUNNING');
    const { stdout } = await run(process.execPath, [
      program,
      'lab',
      'remove',
      'fortigate',
      '--orphan-mappings',
      '--data',
      data,
    ]);
    expect(stdout).toContain('lab-fortigate');
    expect(Object.keys(await backends())).not.toContain('lab-fortigate');
    await expect(stat(join(data, 'lab-parts', 'fortigate'))).rejects.toThrow();
    await restart('SIGTERM');
    expect((await lab('list')).find(({ part }) => part === 'fortigate')?.state).toBe('STOPPED');
    // A new one is another device, from the factory.
    await lab('add', 'fortigate');
    await online('fortigate');
    await done('fortigate');
  }, 120_000);

  test('a part that can not start is a warning: the rest is there', async () => {
    await lab('remove', 'neo', '--orphan-mappings').catch(() => []);
    await rm(join(data, 'lab-parts', 'neo'), { recursive: true, force: true });
    // Its folder can't be made.
    await writeFile(join(data, 'lab-parts', 'neo'), '');
    await restart('SIGTERM', ['--lab', 'fortigate,neo']);
    expect(up.output()).toMatch(/neo: none, .*EEXIST/);
    const rows = await lab('list');
    expect(rows.find(({ part }) => part === 'neo')).toMatchObject({
      state: 'UNAVAILABLE',
      note: expect.stringContaining('EEXIST'),
    });
    expect(rows.find(({ part }) => part === 'fortigate')?.state).toBe('RUNNING');
    expect(await refusal('add', 'neo')).toMatchObject({ code: 1, stderr: expect.stringContaining("neo can't start") });
  }, 120_000);

  test('without the lab there is nothing to add', async () => {
    await restart('SIGTERM', ['--no-lab']);
    expect(await refusal('list')).toMatchObject({ code: 3, stderr: expect.stringContaining('no lab runs') });
  }, 120_000);
});

(here.neutron ? test : test.skip)(
  'neutron: ONLINE, a call SUCCEEDED, and its networks over a restart',
  async () => {
    up.child.kill('SIGTERM');
    await up.ended;
    data = join(folder.path, 'neutron');
    // As root, so that it finds the packages that other tests have unpacked.
    const args = ['--lab', 'neutron', '--as-root'];
    up = await startUp(data, args);
    token = await tokenOf(data);
    const [row] = await lab('add', 'neutron');
    expect(row).toMatchObject({ state: 'RUNNING' });
    await online('neutron');
    const { mapping } = await done('neutron');
    await lineTroubles('neutron', ['hang', 'drop', 'late']);
    await restart('SIGKILL', args);
    await waitFor('neutron', async () =>
      (await lab('list')).some(({ part, state }) => part === 'neutron' && state === 'RUNNING'),
    );
    await online('neutron');
    expect(await verified(mapping?.id)).toBe('MATCHES');
  },
  300_000,
);
