// Machines: an invitation that works once within 30 minutes, credentials for one role with automatic renewal, and a revocation.
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Mutation } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { type Authority, makeAuthority, openAuthority } from '../../../platform/machines/authority.ts';
import { machineOf } from '../../../platform/machines/machine.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
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
const credential = `machineId name role certificate authority token expiresAt ${errors}`;
const documents = {
  machineCreate: `mutation ($input: MachineCreateInput!) { machineCreate(input: $input) { machine { id name role state version } joinToken joinTokenExpiresAt ${errors} } }`,
  machineJoin: `mutation ($input: MachineJoinInput!) { machineJoin(input: $input) { ${credential} } }`,
  machineRenew: `mutation ($input: MachineRenewInput!) { machineRenew(input: $input) { ${credential} } }`,
  machineRevoke: `mutation ($input: MachineRevokeInput!) { machineRevoke(input: $input) { machine { id state version revokedAt } ${errors} } }`,
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

async function created(name: string, role = 'relay') {
  const { machine, joinToken, userErrors } = await send('machineCreate', { name, role });
  expect(userErrors).toEqual([]);
  return { id: machine?.id ?? '', uuid: decodeUuid('Machine', machine?.id ?? '') ?? '', joinToken: joinToken ?? '' };
}

async function joined(name: string, role = 'relay') {
  const invited = await created(name, role);
  const publicKey = newKey();
  const payload = await send('machineJoin', { joinToken: invited.joinToken, publicKey }, null);
  expect(payload.userErrors).toEqual([]);
  return { ...invited, publicKey, token: payload.token ?? '', certificate: payload.certificate ?? '' };
}

const worth = (token: string) => bench.system.authenticator.authenticate(token);

describe('an invitation', () => {
  test('is made only by administrators, for an existing role', async () => {
    const user = await makeUser(bench, 'operator', {});
    expect((await send('machineCreate', { name: 'a', role: 'relay' }, user)).userErrors).toMatchObject([
      { code: 'FORBIDDEN' },
    ]);
    expect((await send('machineCreate', { name: 'A b', role: 'root' })).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: ['input', 'name'] },
      { code: 'INVALID_INPUT', field: ['input', 'role'], message: expect.stringContaining('gateway, system, relay') },
    ]);
  });

  test('shows its token once: not in the audit trail, not for a repetition', async () => {
    const input = { name: 'shown-once', role: 'relay', idempotencyKey: 'shown-once' };
    const { joinToken } = await send('machineCreate', input);
    expect(joinToken).toMatch(/^tgj_[\w-]{43}\.[0-9a-f]{64}$/);
    const again = await send('machineCreate', input);
    expect(again).toMatchObject({ machine: { name: 'shown-once', state: 'INVITED' }, joinToken: null, userErrors: [] });
    await send('machineJoin', { joinToken, publicKey: newKey() }, null);
    const kept = JSON.stringify(await bench.db.query('SELECT * FROM audit_entry'));
    expect(kept).toContain('machineJoin');
    expect(kept).not.toContain(joinToken?.slice(4, 40));
  });

  test('a name is taken until its machine is revoked, or did not join in time', async () => {
    await created('taken');
    expect((await send('machineCreate', { name: 'taken', role: 'relay' })).userErrors).toMatchObject([
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
    const { userErrors } = await send('machineCreate', { name: 'no-authority', role: 'relay' });
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

  test('the token works once; again only with the same key, for a lost answer', async () => {
    const { joinToken, publicKey, token } = await joined('once');
    expect((await send('machineJoin', { joinToken, publicKey: newKey() }, null)).userErrors).toMatchObject([
      { code: 'BAD_CREDENTIALS' },
    ]);
    const again = await send('machineJoin', { joinToken, publicKey }, null);
    expect(again.userErrors).toEqual([]);
    for (const each of [token, again.token ?? '']) expect(await worth(each)).toMatchObject({ name: 'once' });
  });

  test('two who join at once with one token: one succeeds', async () => {
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
    expect(renewed).toMatchObject({ name: 'renews', role: 'relay', userErrors: [] });
    expect(machineOf(new X509Certificate(renewed.certificate ?? ''))).toMatchObject({ id: uuid });
    expect(await worth(token)).toMatchObject({ id: uuid });
    await bench.db.execute(
      'UPDATE machine_token SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE machine_id = ? ORDER BY expires_at LIMIT 1',
      [uuid],
    );
    expect(await worth(token)).toBeUndefined();
    expect(await worth(renewed.token ?? '')).toMatchObject({ id: uuid });
  });

  test('however often it renews, few tokens are kept', async () => {
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
    expect(revoked.machine).toMatchObject({ state: 'REVOKED' });
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

test('administrators list machines and read them by id; others see none', async () => {
  const { id } = await created('listed');
  const user = await makeUser(bench, 'reader', {});
  const { data } = await bench.ask(admin, '{ machines(first: 100) { nodes { id name state } } }');
  expect(data.machines).toMatchObject({ nodes: expect.arrayContaining([{ id, name: 'listed', state: 'INVITED' }]) });
  const node = 'query ($id: ID!) { node(id: $id) { ... on Machine { name } } }';
  expect((await bench.ask(admin, node, { id })).data).toEqual({ node: { name: 'listed' } });
  expect((await bench.ask(user, node, { id })).data).toEqual({ node: null });
  expect((await bench.ask(user, '{ machines { nodes { id } } }')).codes).toEqual(['FORBIDDEN']);
});
