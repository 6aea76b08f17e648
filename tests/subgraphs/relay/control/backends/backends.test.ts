// The registry of backends: creating, selecting, changing, deleting; secrets stay secret.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { canonicalFingerprint, hexFingerprint } from '../../../../../subgraphs/relay/control/backends/backend-input.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectA, projectB, projectId } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const operator = identity('OPERATOR');
const both = { ...operator, projects: { [projectA]: 'OPERATOR', [projectB]: 'OPERATOR' } } as const;

const { node, device } = await startRelay({ device: () => NftDevice.start() });

interface Shape {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly ordinal: number;
  readonly enabled: boolean;
  readonly provisioningStatus: string;
  readonly site: string | null;
  readonly labels: readonly { name: string; value: string }[];
  readonly limits: { concurrency: number; queueLimit: number; deadlineMs: number };
  readonly credentialFields: readonly string[];
  readonly hostKeySha256: string | null;
}
interface Payload {
  readonly backend: Shape | null;
  readonly userErrors: readonly { code: string; field: string[] }[];
  readonly commit: { token: string } | null;
}
const shape =
  'id name version ordinal enabled provisioningStatus site labels { name value } limits { concurrency queueLimit deadlineMs } credentialFields hostKeySha256';

const mutate = (name: string, input: object, who: Identity = operator) =>
  node.mutate<Payload>(name, input, `backend { ${shape} } userErrors { code message field } commit { token }`, who);
const administrator = identity('ADMIN');
/** All backends are on the same device. */
const register = (input: object, project = projectA) =>
  mutate('backendCreate', { ...base(), projectId: projectId(project), separateObjects: true, ...input }, administrator);
const base = () => ({
  ...{ driver: 'linux-nftables', host: device.ssh.host, port: device.ssh.port },
  ...{ hostKeySha256: device.ssh.hostKeySha256, credentials: { username: 'netops', password: 'secret' } },
});

test('is created with defaults, with its secrets sealed and never shown', async () => {
  const made = await mutate('backendCreate', { ...base(), name: 'first', labels: [{ name: 'rack', value: 'b12' }] });
  expect(made).toMatchObject({
    userErrors: [],
    backend: {
      ...{
        name: 'first',
        version: 1,
        ordinal: 1,
        enabled: true,
        provisioningStatus: 'ACTIVE',
        labels: [{ name: 'rack', value: 'b12' }],
      },
      limits: { concurrency: 4, queueLimit: 1000, deadlineMs: 30_000 },
      credentialFields: ['password', 'username'],
    },
  });
  expect(made.commit?.token).toBeTruthy();
  const rows = await node.db.query<{ sealed: Buffer }>('SELECT sealed FROM backend_credential');
  expect(rows).toHaveLength(2);
  for (const { sealed } of rows) expect(sealed.toString('latin1')).not.toMatch(/secret|netops/);
  const audit = await node.db.query<{ details: string }>(
    "SELECT details FROM audit_entry WHERE action = 'backendCreate'",
  );
  expect(JSON.stringify(audit)).not.toContain('"secret"');
});

test('a request repeated with its key creates one backend; ordinals are never reused', async () => {
  const input = { name: 'second', idempotencyKey: 'make-second' };
  const [one, two] = await Promise.all([register(input), register(input)]);
  expect(one.backend?.id).toBe(two.backend?.id);
  expect(one.backend?.ordinal).toBe(2);
  await mutate('backendDelete', { id: one.backend?.id, idempotencyKey: 'drop' });
  const again = await mutate('backendDelete', { id: one.backend?.id, idempotencyKey: 'drop' });
  expect(again).toMatchObject({ userErrors: [], backend: { provisioningStatus: 'DELETED' } });
  const third = await register({ name: 'second' });
  expect(third.backend?.ordinal).toBe(3);
  const elsewhere = await register({ name: 'second' }, projectB);
  expect(elsewhere.backend?.ordinal).toBe(1);
});

test('an update changes the named fields and increments the version; an old version is refused', async () => {
  const made = await register({ name: 'changing', site: 'west' });
  const id = made.backend?.id;
  const change = { id, expectedVersion: 1, limits: { concurrency: 2 }, labels: [{ name: 'a', value: '1' }] };
  const changed = await mutate('backendUpdate', change);
  expect(changed.backend).toMatchObject({
    ...{ version: 2, site: 'west', labels: [{ name: 'a', value: '1' }] },
    limits: { concurrency: 2, queueLimit: 1000, deadlineMs: 30_000 },
  });
  expect(await mutate('backendUpdate', change)).toMatchObject({
    backend: null,
    userErrors: [{ code: 'STALE_VERSION' }],
  });
  const off = await mutate('backendUpdate', { id, enabled: false });
  expect(off.backend).toMatchObject({ version: 3, enabled: false });
  const held = await call(node, 'add', element('changing', '10.0.0.1'));
  expect(held.userErrors).toMatchObject([{ code: 'BACKEND_DISABLED', retry: 'SAME_KEY_AFTER_ACTION' }]);
  await mutate('backendUpdate', { id, enabled: true });
  expect((await call(node, 'add', element('changing', '10.0.0.1'))).operation?.state).toBe('SUCCEEDED');
});

test('deleting a backend with live mappings is refused, or orphans them', async () => {
  const made = await register({ name: 'mapped' });
  const cmpObject = { type: 'tenant', externalId: 'orphan' };
  const added = await call(node, 'add', element('mapped', '10.0.0.1', { cmpObject }));
  expect(added.mapping?.mappingState).toBe('ACTIVE');
  const id = made.backend?.id;
  expect(await mutate('backendDelete', { id })).toMatchObject({
    backend: null,
    userErrors: [{ code: 'HAS_MAPPINGS' }],
  });
  expect(await mutate('backendDelete', { id, orphanMappings: true })).toMatchObject({ userErrors: [] });
  const { mapping } = await node.ask<{ mapping: object }>(
    'query ($id: ID!) { mapping(id: $id) { mappingState version } }',
    { id: added.mapping?.id },
  );
  expect(mapping).toEqual({ mappingState: 'ORPHAN', version: 2 });
  const events = await node.db.query<{ toStatus: string }>(
    "SELECT to_status AS toStatus FROM status_change WHERE kind = 'mapping.state' AND reason = 'backend deleted'",
  );
  expect(events).toEqual([{ toStatus: 'ORPHAN' }]);
  const gone = await call(node, 'add', { ...element('mapped', '10.0.0.2') });
  expect(gone.userErrors).toMatchObject([{ code: 'NOT_FOUND', field: ['input', 'backend'] }]);
});

describe('selecting a backend', () => {
  const names = ['north-1', 'north-2', 'south-1'] as const;
  const madeIds = new Map<string, { id: string; ordinal: number }>();
  beforeAll(async () => {
    for (const name of names) {
      const site = name.split('-')[0] ?? '';
      const labels = [{ name: 'tier', value: name.endsWith('1') ? 'gold' : 'silver' }];
      const { backend } = await register({ name, site, labels });
      madeIds.set(name, { id: backend?.id ?? '', ordinal: backend?.ordinal ?? 0 });
    }
  });
  let key = 0;
  async function chosen(backend: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<string> {
    key += 1;
    const address = `10.8.0.${key}`;
    const answer = await call(node, 'add', { idempotencyKey: address, set: 'blocked', address, backend, ...more });
    const [fault] = answer.userErrors;
    if (fault !== undefined) return `${fault.code} ${fault.message}`;
    const { relayOperation } = await node.ask<{ relayOperation: { backend: { name: string } } }>(
      'query ($id: ID!) { relayOperation(id: $id) { backend { name } } }',
      { id: answer.operation?.id },
    );
    return relayOperation.backend.name;
  }

  test('by id, name, ordinal, label and site, all of which must match', async () => {
    expect(await chosen({ id: madeIds.get('north-2')?.id })).toBe('north-2');
    expect(await chosen({ name: 'south-1' })).toBe('south-1');
    expect(await chosen({ family: 'FIREWALL', ordinal: madeIds.get('north-1')?.ordinal })).toBe('north-1');
    expect(await chosen({ site: 'south' })).toBe('south-1');
    expect(await chosen({ site: 'north', label: { name: 'tier', value: 'silver' } })).toBe('north-2');
    expect(await chosen({ id: madeIds.get('north-2')?.id, site: 'south' })).toMatch(/^NOT_FOUND/);
    expect(await chosen({ id: encodeId('Backend', 'nonsense') })).toMatch(/^NOT_FOUND/);
  });

  test('more than one match is AMBIGUOUS and lists the candidates; leastMapped decides', async () => {
    const ambiguous = await chosen({ site: 'north' });
    expect(ambiguous).toMatch(/^AMBIGUOUS 2 backends match: north-1 .*north-2/);
    const cmpObject = { type: 'vm', externalId: '1' };
    expect(await chosen({ site: 'north', leastMapped: true }, { cmpObject })).toBe('north-1');
    expect(await chosen({ site: 'north', leastMapped: true }, { cmpObject })).toBe('north-2');
  });

  test("by the CMP object's existing mappings", async () => {
    const cmpObject = { type: 'vm', externalId: 'lives-south' };
    expect(await chosen({ whereMapped: true }, { cmpObject })).toMatch(/^NOT_FOUND/);
    expect(await chosen({ name: 'south-1' }, { cmpObject })).toBe('south-1');
    expect(await chosen({ whereMapped: true }, { cmpObject })).toBe('south-1');
  });

  test('when the caller has several projects, one must be named', async () => {
    const input = { ...element('second', '10.0.0.9'), idempotencyKey: 'several' };
    const several = await call(node, 'add', input, both);
    expect(several.userErrors).toMatchObject([{ code: 'PROJECT_REQUIRED', field: ['input', 'projectId'] }]);
    const named = await call(node, 'add', { ...input, projectId: projectId(projectB) }, both);
    expect(named.operation?.state).toBe('SUCCEEDED');
    const byId = await call(
      node,
      'add',
      { ...element('x', '10.0.0.10'), backend: { id: madeIds.get('north-1')?.id } },
      both,
    );
    expect(byId.operation?.state).toBe('SUCCEEDED');
  });
});

test('pages of backends are ordered by name', async () => {
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const {
      backends,
    }: { backends: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
      await node.ask(
        'query ($a: String) { backends(first: 2, after: $a) { nodes { name } pageInfo { hasNextPage endCursor } } }',
        { a: after },
      );
    seen.push(...backends.nodes.map((each) => each.name));
    after = backends.pageInfo.hasNextPage ? backends.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual([...seen].sort());
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toContain('south-1');
  expect(seen).not.toContain('mapped');
});

test.each([
  'SHA256:o7+D0KWlhhSKw/91WWVD+KMkoNr+Dzuxcq1JJm19wOs',
  'a3bf83d0a5a586148ac3ff75596543f8a324a0dafe0f3bb172ad49266d7dc0eb',
  'A3:BF:83:D0:A5:A5:86:14:8A:C3:FF:75:59:65:43:F8:A3:24:A0:DA:FE:0F:3B:B1:72:AD:49:26:6D:7D:C0:EB',
])('a certificate is accepted by its fingerprint in any notation: %s', (text) => {
  expect(canonicalFingerprint(text)).toBe('SHA256:o7+D0KWlhhSKw/91WWVD+KMkoNr+Dzuxcq1JJm19wOs');
  expect(hexFingerprint(canonicalFingerprint(text))).toMatch(/^A3:BF:(..:)+C0:EB$/);
});
