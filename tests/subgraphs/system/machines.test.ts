// Machines: an invitation that works once within 30 minutes, credentials for one role with automatic renewal, and
// revocation.
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Mutation } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { type Authority, makeAuthority, openAuthority } from '../../../platform/machines/authority.ts';
import { machineOf } from '../../../platform/machines/machine.ts';
import { rolesOf } from '../../../platform/process/config.ts';
import { decodeUuid, newUuid } from '../../../platform/values/ids.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

let folder: TemporaryFolder;
let bench: SystemBench;
let admin: Identity;
let authority: Authority | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeAuthority(folder.path);
  authority = await openAuthority(folder.path);
  bench = await systemBench({ authority: async () => authority });
  admin = await makeUser(bench, 'admin', { admin: true });
});

afterAll(async () => {
  await bench?.stop();
  await folder?.remove();
});

const errors = 'userErrors { code message field }';
const credential = `machineId name machineRole certificate authority token expiresAt ${errors}`;
const documents = {
  machineCreate: `mutation ($input: MachineCreateInput!) { machineCreate(input: $input) { machine { id name machineRole machineState version } joinToken joinTokenExpiresAt ${errors} } }`,
  machineJoin: `mutation ($input: MachineJoinInput!) { machineJoin(input: $input) { ${credential} } }`,
  machineRenew: `mutation ($input: MachineRenewInput!) { machineRenew(input: $input) { ${credential} } }`,
  machineRevoke: `mutation ($input: MachineRevokeInput!) { machineRevoke(input: $input) { machine { id machineState version revokedAt } ${errors} } }`,
} as const;

async function send<Name extends keyof typeof documents>(
  name: Name,
  input: object,
  who: Identity | null = admin,
): Promise<Mutation[Name]> {
  const { data, errors: failures } = await bench.ask(who, documents[name], { input });
  expect(failures).toBeUndefined();
  return data[name];
}

function newKey(namedCurve = 'P-256'): string {
  return generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

async function created(name: string, machineRole = 'RELAY') {
  const { machine, joinToken, userErrors } = await send('machineCreate', { name, machineRole });
  expect(userErrors).toEqual([]);
  return { id: machine?.id ?? '', uuid: decodeUuid('Machine', machine?.id ?? '') ?? '', joinToken: joinToken ?? '' };
}

async function joined(name: string, machineRole = 'RELAY') {
  const invited = await created(name, machineRole);
  const publicKey = newKey();
  const payload = await send('machineJoin', { joinToken: invited.joinToken, publicKey }, null);
  expect(payload.userErrors).toEqual([]);
  return { ...invited, publicKey, token: payload.token ?? '', certificate: payload.certificate ?? '' };
}

const worth = (token: string) => bench.system.authenticator.authenticate(token);

describe('an invitation', () => {
  test("can't be made by someone who was an administrator until a moment ago", async () => {
    const former = await makeUser(bench, 'former', { admin: true });
    await bench.db.execute('UPDATE user SET admin = 0 WHERE id = ?', [former.id]);
    // The gateway may use the user's cached answer for another second.
    const refused = await send('machineCreate', { name: 'late', machineRole: 'RELAY' }, former);
    expect(refused).toMatchObject({ machine: null, joinToken: null, userErrors: [{ code: 'FORBIDDEN' }] });
  });

  test('of a load balancer host has its record, which ends with an unused invitation', async () => {
    const records = () =>
      bench.db.query(
        `SELECT machine_id AS id, site, provider, public_range AS publicRange, management_range AS managementRange, max_nodes AS maxNodes,
          health_port AS healthPort, released FROM host_record`,
      );
    const loadBalancerHost = { publicRange: '198.51.100.0/24', maxNodes: 30 };
    const made = await send('machineCreate', { name: 'lb-1', machineRole: 'LBHOST', loadBalancerHost });
    const usual = { site: null, provider: 'NETNS', managementRange: null, healthPort: 8399, released: 0 };
    const id = decodeUuid('Machine', made.machine?.id ?? '') ?? '';
    expect(await records()).toEqual([{ id, ...usual, ...loadBalancerHost }]);
    await bench.db.execute('UPDATE machine SET join_until = NOW(3) - INTERVAL 1 DAY WHERE id = ?', [id]);
    const all = { site: 'fra', provider: 'LOOPBACK', managementRange: '203.0.113.0/24', healthPort: 9, released: true };
    const again = { ...loadBalancerHost, ...all };
    const other = await send('machineCreate', { name: 'lb-1', machineRole: 'LBHOST', loadBalancerHost: again });
    expect(other.userErrors).toEqual([]);
    expect(await records()).toEqual([{ ...again, id: decodeUuid('Machine', other.machine?.id ?? ''), released: 1 }]);
  });

  test('found by reading: of a load balancer host has networks that no other host has', async () => {
    const made = async (name: string, publicRange: string, managementRange: string | null = null) => {
      const loadBalancerHost = { publicRange, managementRange, maxNodes: 30 };
      const { machine, userErrors } = await send('machineCreate', { name, machineRole: 'LBHOST', loadBalancerHost });
      return { id: machine?.id ?? '', userErrors };
    };
    const first = await made('apart-1', '192.0.2.0/25', '10.77.1.0/24');
    expect(first.userErrors).toEqual([]);
    const { id, userErrors } = await made('apart-2', '192.0.2.64/26', '10.0.0.0/8');
    expect(id).toBe('');
    const advice =
      'of the host apart-1, so two load balancers could get one address: choose another range, change that of apart-1 first (tidegate hosts set apart-1), or, if apart-1 is gone, revoke its machine (tidegate machines revoke apart-1)';
    expect(userErrors).toMatchObject([
      {
        code: 'INVALID_INPUT',
        field: ['input', 'loadBalancerHost', 'publicRange'],
        message: `loadBalancerHost.publicRange is 192.0.2.64/26, which overlaps 192.0.2.0/25, the public range ${advice}`,
      },
      {
        code: 'INVALID_INPUT',
        field: ['input', 'loadBalancerHost', 'managementRange'],
        message: `loadBalancerHost.managementRange is 10.0.0.0/8, which overlaps 10.77.1.0/24, the management range ${advice}`,
      },
    ]);
    // Also a network of one kind that overlaps one of the other kind.
    expect((await made('apart-2', '10.77.1.128/25')).userErrors).toHaveLength(1);
    const atOnce = await Promise.all(['apart-3', 'apart-4'].map((name) => made(name, '192.0.2.128/26')));
    expect(atOnce.map(({ userErrors: { length } }) => length).sort()).toEqual([0, 1]);
    expect((await made('apart-5', '192.0.2.192/26')).userErrors).toEqual([]);
    // The machine is gone, so its networks are free.
    expect((await send('machineRevoke', { id: first.id })).userErrors).toEqual([]);
    expect((await made('apart-6', '192.0.2.64/26', '10.77.1.0/24')).userErrors).toEqual([]);
  });

  test('of a checker must have a vantage point, which ends with an unused invitation', async () => {
    const records = () => bench.db.query('SELECT machine_id AS id, vantage_point AS vantagePoint FROM checker_record');
    const faults = async (gslbChecker: object | undefined, machineRole = 'CHECKER') => {
      const { userErrors } = await send('machineCreate', { name: 'eu-1', machineRole, gslbChecker });
      return userErrors.map(({ code, field }) => `${code} ${field.slice(1).join('.')}`);
    };
    expect(await faults(undefined)).toEqual(['INVALID_INPUT gslbChecker']);
    expect(await faults({ vantagePoint: 'EU' })).toEqual(['INVALID_INPUT gslbChecker.vantagePoint']);
    expect(await faults({ vantagePoint: 'x'.repeat(64) })).toEqual(['TOO_LONG gslbChecker.vantagePoint']);
    expect(await faults({ vantagePoint: 'eu' }, 'RELAY')).toEqual(['INVALID_INPUT gslbChecker']);
    expect(await records()).toEqual([]);
    const given = { name: 'eu-1', machineRole: 'CHECKER', gslbChecker: { vantagePoint: 'eu' } };
    const id = decodeUuid('Machine', (await send('machineCreate', given)).machine?.id ?? '') ?? '';
    expect(await records()).toEqual([{ id, vantagePoint: 'eu' }]);
    await bench.db.execute('UPDATE machine SET join_until = NOW(3) - INTERVAL 1 DAY WHERE id = ?', [id]);
    const again = await send('machineCreate', { ...given, gslbChecker: { vantagePoint: 'us' } });
    expect(await records()).toEqual([{ id: decodeUuid('Machine', again.machine?.id ?? ''), vantagePoint: 'us' }]);
  });

  test('of a name server has the addresses that zones may publish, in canonical form, or none', async () => {
    const records = () => bench.db.query('SELECT machine_id AS id, addresses FROM name_server_record');
    const made = async (more: object = {}) => {
      const { machine, userErrors } = await send('machineCreate', { name: 'ns-1', machineRole: 'DNS', ...more });
      const faults = userErrors.map(({ code, field }) => `${code} ${field.slice(1).join('.')}`);
      return { id: decodeUuid('Machine', machine?.id ?? '') ?? '', faults };
    };
    const given = (...addresses: string[]) => ({ gslbNameServer: { addresses } });
    expect((await made(given('198.51.100.1', '0.0.0.0'))).faults).toEqual(['INVALID_INPUT gslbNameServer.addresses.1']);
    expect((await made({ ...given('198.51.100.1'), machineRole: 'RELAY' })).faults).toEqual([
      'INVALID_INPUT gslbNameServer',
    ]);
    expect(await records()).toEqual([]);
    const { id } = await made(given('198.51.100.1', '2001:DB8::1'));
    expect(await records()).toEqual([{ id, addresses: '["198.51.100.1","2001:db8::1"]' }]);
    await bench.db.execute('UPDATE machine SET join_until = NOW(3) - INTERVAL 1 DAY WHERE id = ?', [id]);
    expect(await made()).toMatchObject({ faults: [] });
    expect(await records()).toMatchObject([{ addresses: '[]' }]);
  });

  test("of another team's subgraph names that subgraph, and no process of the product can have its role", async () => {
    const records = () => bench.db.query('SELECT machine_id AS id, name FROM subgraph_record');
    const made = async (outsideSubgraph: object | undefined, machineRole = 'SUBGRAPH') => {
      const { machine, userErrors } = await send('machineCreate', { name: 'rack-1', machineRole, outsideSubgraph });
      const faults = userErrors.map(({ code, field }) => `${code} ${field.slice(1).join('.')}`);
      return { id: decodeUuid('Machine', machine?.id ?? '') ?? '', faults };
    };
    expect((await made(undefined)).faults).toEqual(['INVALID_INPUT outsideSubgraph']);
    for (const name of ['', 'Inventory', 'a-b', '1a', 'a.b', 'x'.repeat(33), 'a\n'])
      expect((await made({ name })).faults).toEqual(['INVALID_INPUT outsideSubgraph.name']);
    expect((await made({ name: 'inventory' }, 'RELAY')).faults).toEqual(['INVALID_INPUT outsideSubgraph']);
    expect(await records()).toEqual([]);
    const { id } = await made({ name: 'inventory' });
    expect(await records()).toEqual([{ id, name: 'inventory' }]);
    await bench.db.execute('UPDATE machine SET join_until = NOW(3) - INTERVAL 1 DAY WHERE id = ?', [id]);
    const again = await made({ name: 'metering' });
    expect(await records()).toEqual([{ id: again.id, name: 'metering' }]);
    expect(rolesOf(subgraphRows).all).not.toContain('subgraph');
  });

  test('of another role has no record, and an invalid record is refused with its fields', async () => {
    const loadBalancerHost = { publicRange: '0.0.0.0/0', managementRange: '10.0.0.1/8', maxNodes: 0, site: '' };
    const { userErrors } = await send('machineCreate', { name: 'host-2', machineRole: 'RELAY', loadBalancerHost });
    expect(userErrors.map(({ code, field }) => `${code} ${field.slice(1).join('.')}`).sort()).toEqual(
      ['', '.maxNodes', '.managementRange', '.publicRange', '.site']
        .map((field) => `INVALID_INPUT loadBalancerHost${field}`)
        .sort(),
    );
  });

  test('can be made only by administrators, with a name for hosts', async () => {
    const user = await makeUser(bench, 'operator', {});
    expect((await send('machineCreate', { name: 'a', machineRole: 'RELAY' }, user)).userErrors).toMatchObject([
      { code: 'FORBIDDEN' },
    ]);
    expect((await send('machineCreate', { name: 'A b', machineRole: 'RELAY' })).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: ['input', 'name'] },
    ]);
  });

  test('shows its token once: not in the audit trail, not for a repetition', async () => {
    const input = { name: 'shown-once', machineRole: 'RELAY', idempotencyKey: 'shown-once' };
    const { joinToken } = await send('machineCreate', input);
    expect(joinToken).toMatch(/^tgj_[\w-]{43}\.[0-9a-f]{64}$/);
    const again = await send('machineCreate', input);
    expect(again).toMatchObject({
      machine: { name: 'shown-once', machineState: 'INVITED' },
      joinToken: null,
      userErrors: [],
    });
    await send('machineJoin', { joinToken, publicKey: newKey() }, null);
    const kept = JSON.stringify(await bench.db.query('SELECT * FROM audit_entry'));
    expect(kept).toContain('machineJoin');
    expect(kept).not.toContain(joinToken?.slice(4, 40));
  });

  test('a name is taken until its machine is revoked, or did not enroll in time', async () => {
    await created('taken');
    expect((await send('machineCreate', { name: 'taken', machineRole: 'RELAY' })).userErrors).toMatchObject([
      { code: 'ALREADY_EXISTS', field: ['input', 'name'] },
    ]);
    await bench.db.execute("UPDATE machine SET join_until = NOW(3) - INTERVAL 1 SECOND WHERE name = 'taken'");
    const { id } = await created('taken');
    await send('machineRevoke', { id });
    await created('taken');
  });

  test('without an authority it is refused, with instructions to create one', async () => {
    const before = authority;
    authority = undefined;
    const { userErrors } = await send('machineCreate', { name: 'no-authority', machineRole: 'RELAY' });
    authority = before;
    expect(userErrors).toMatchObject([
      { code: 'WRONG_STATE', message: expect.stringContaining('tidegate keys create') },
    ]);
  });
});

describe('joining', () => {
  test('returns a certificate for the key, the name and the role, and a token', async () => {
    const { uuid, publicKey, certificate, token } = await joined('host-1');
    const read = new X509Certificate(certificate);
    expect(machineOf(read)).toEqual({ id: uuid, name: 'host-1', role: 'relay' });
    expect(read.ca).toBe(false);
    expect(read.verify(new X509Certificate(authority?.cert ?? '').publicKey)).toBe(true);
    expect(read.publicKey.equals(createPublicKey(publicKey))).toBe(true);
    expect(await worth(token)).toEqual({
      kind: 'machine',
      id: uuid,
      name: 'host-1',
      admin: false,
      projects: {},
      credentialId: uuid,
      machineRole: 'relay',
    });
  });

  test('works once with the token; again only with the same key, if the answer was lost', async () => {
    const { joinToken, publicKey, token } = await joined('once');
    expect((await send('machineJoin', { joinToken, publicKey: newKey() }, null)).userErrors).toMatchObject([
      { code: 'BAD_CREDENTIALS' },
    ]);
    const again = await send('machineJoin', { joinToken, publicKey }, null);
    expect(again.userErrors).toEqual([]);
    for (const each of [token, again.token ?? '']) expect(await worth(each)).toMatchObject({ name: 'once' });
  });

  test('by two at once with one token succeeds for one', async () => {
    const { joinToken } = await created('race');
    const both = await Promise.all(
      [newKey(), newKey()].map((publicKey) => send('machineJoin', { joinToken, publicKey }, null)),
    );
    expect(both.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(1);
  });

  test.each(['expired', 'revoked', 'invented'])('a token that is %s gets the same answer', async (what) => {
    const { id, uuid, joinToken } = await created(`join-${what}`);
    if (what === 'expired')
      await bench.db.execute('UPDATE machine SET join_until = NOW(3) - INTERVAL 1 SECOND WHERE id = ?', [uuid]);
    if (what === 'revoked') await send('machineRevoke', { id });
    const token = what === 'invented' ? `tgj_${'A'.repeat(43)}.${'0'.repeat(64)}` : joinToken;
    expect(await send('machineJoin', { joinToken: token, publicKey: newKey() }, null)).toMatchObject({
      token: null,
      certificate: null,
      userErrors: [{ code: 'BAD_CREDENTIALS', message: expect.stringContaining('was used, has expired') }],
    });
  });

  test.each([
    ['rubbish', 'rubbish'],
    ['another curve', newKey('P-384')],
    [
      'a private key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    ['far too much', `${newKey()}${'\n'.repeat(10_000)}`],
  ])('%s is not a public key', async (name, publicKey) => {
    const { joinToken } = await created(`key-${name.replaceAll(' ', '-')}`);
    expect((await send('machineJoin', { joinToken, publicKey }, null)).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: ['input', 'publicKey'] },
    ]);
  });

  test('guesses are counted by address', async () => {
    const guess = (address: string) =>
      bench.ask(null, documents.machineJoin, { input: { joinToken: 'tgj_guess', publicKey: newKey() } }, address);
    let last: unknown;
    for (let n = 0; n < 101; n += 1) last = (await guess('192.0.2.7')).data;
    expect(last).toMatchObject({ machineJoin: { userErrors: [{ code: 'RATE_LIMITED' }] } });
    expect((await guess('192.0.2.8')).data).toMatchObject({
      machineJoin: { userErrors: [{ code: 'BAD_CREDENTIALS' }] },
    });
  });
});

describe('a machine', () => {
  test("may call only a machine's fields", async () => {
    const { token } = await joined('nothing-else');
    const machine = (await worth(token)) ?? null;
    for (const asked of [
      '{ me { name } }',
      '{ projects { nodes { id } } }',
      '{ machines { nodes { id } } }',
      '{ statusCursor }',
    ])
      expect((await bench.ask(machine, asked)).codes).toEqual(['FORBIDDEN']);
    expect((await bench.ask(admin, '{ machineRevocations }')).codes).toEqual(['FORBIDDEN']);
    expect((await bench.ask(null, '{ machineRevocations }')).codes).toEqual(['UNAUTHENTICATED']);
  });

  test('renews its credentials; the earlier ones stay valid until they expire', async () => {
    const { uuid, token } = await joined('renews');
    const machine = (await worth(token)) ?? null;
    const renewed = await send('machineRenew', { publicKey: newKey() }, machine);
    expect(renewed).toMatchObject({ name: 'renews', machineRole: 'RELAY', userErrors: [] });
    expect(machineOf(new X509Certificate(renewed.certificate ?? ''))).toMatchObject({ id: uuid });
    expect(await worth(token)).toMatchObject({ id: uuid });
    await bench.db.execute(
      'UPDATE machine_token SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE machine_id = ? ORDER BY expires_at LIMIT 1',
      [uuid],
    );
    expect(await worth(token)).toBeUndefined();
    expect(await worth(renewed.token ?? '')).toMatchObject({ id: uuid });
  });

  test('has few tokens, however often it renews', async () => {
    const { uuid, token } = await joined('often');
    const machine = (await worth(token)) ?? null;
    let last = '';
    for (let n = 0; n < 20; n += 1) last = (await send('machineRenew', { publicKey: newKey() }, machine)).token ?? '';
    const rows = await bench.db.query('SELECT hash FROM machine_token WHERE machine_id = ?', [uuid]);
    expect(rows).toHaveLength(16);
    expect(await worth(last)).toMatchObject({ id: uuid });
  });
});

describe('a revocation', () => {
  test('ends all credentials at once, and is announced to the other machines', async () => {
    const other = await joined('other');
    const { id, uuid, token, joinToken, publicKey } = await joined('lost');
    const machine = await worth(token);
    const revoked = await send('machineRevoke', { id });
    expect(revoked.machine).toMatchObject({ machineState: 'REVOKED' });
    expect((await send('machineRevoke', { id })).machine).toMatchObject({ version: revoked.machine?.version });
    expect(await worth(token)).toBeUndefined();
    expect(machine && (await bench.system.authenticator.recheck(machine))).toBeUndefined();
    expect((await send('machineRenew', { publicKey }, machine ?? null)).userErrors).toMatchObject([
      { code: 'BAD_CREDENTIALS' },
    ]);
    expect((await send('machineJoin', { joinToken, publicKey }, null)).userErrors).toMatchObject([
      { code: 'BAD_CREDENTIALS' },
    ]);
    const { data } = await bench.ask((await worth(other.token)) ?? null, '{ machineRevocations }');
    expect(data.machineRevocations).toContain(id);
    const events = await bench.db.query(
      'SELECT kind, subject_version AS version FROM status_change WHERE subject_id = ? ORDER BY id',
      [uuid],
    );
    expect(events).toEqual([
      { kind: 'machine.created', version: 1 },
      { kind: 'machine.joined', version: 2 },
      { kind: 'machine.revoked', version: 3 },
    ]);
  });

  test('is deleted when the certificates have expired', async () => {
    const { id, uuid } = await joined('long-ago');
    await send('machineRevoke', { id });
    await bench.db.execute('UPDATE machine SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE id = ?', [uuid]);
    const { token } = await joined('asks');
    const { data } = await bench.ask((await worth(token)) ?? null, '{ machineRevocations }');
    expect(data.machineRevocations).not.toContain(id);
  });
});

test('administrators list machines and read them by ID; others see none', async () => {
  const { id, uuid } = await created('listed');
  const user = await makeUser(bench, 'reader', {});
  const { data } = await bench.ask(admin, '{ machines(first: 100) { nodes { id name machineState } } }');
  expect(data.machines).toMatchObject({
    nodes: expect.arrayContaining([{ id, name: 'listed', machineState: 'INVITED' }]),
  });
  const node = 'query ($id: ID!) { node(id: $id) { ... on Machine { name copyRefusedAt } } }';
  expect((await bench.ask(admin, node, { id })).data).toEqual({ node: { name: 'listed', copyRefusedAt: null } });
  const copy = [uuid, newUuid(), new Date('2026-11-30T12:00:00Z')];
  await bench.db.execute('INSERT INTO machine_link (machine_id, owner, copy_refused_at) VALUES (?, ?, ?)', copy);
  expect((await bench.ask(admin, node, { id })).data).toEqual({
    node: { name: 'listed', copyRefusedAt: '2026-11-30T12:00:00.000Z' },
  });
  expect((await bench.ask(user, node, { id })).data).toEqual({ node: null });
  expect((await bench.ask(user, '{ machines { nodes { id } } }')).codes).toEqual(['FORBIDDEN']);
});
