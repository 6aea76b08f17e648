// The answer to bad input: for every mutation a coded entry of `userErrors` that names the field, and no change in any table.
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type GraphQLObjectType, isObjectType } from 'graphql';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { NftDevice } from './support/nft-device.ts';
import { call, identity, projectB, projectId, registerBackend } from './support/relay-system.ts';
import { startRelay } from './support/start-relay.ts';
import { fieldFaults, inputTypeOf, typedInputs } from './support/typed-inputs.ts';

type Input = Record<string, unknown>;
interface Case {
  readonly what: string;
  readonly change: Input;
  readonly code: string;
  readonly field: string;
}

const operator = identity('OPERATOR');
const control = 'a\u0007b';
const long = 'x'.repeat(2_000);
const hostKey = `SHA256:${'B'.repeat(43)}`;
const strangerId = (type: string) => encodeId(type, newUuid());

/** Ids of objects in project A, and of the same kinds in project B. */
const ids = { backend: '', foreignBackend: '', mapping: '', foreignMapping: '', operation: '', foreignOperation: '' };

const { node, device } = await startRelay({
  device: () => NftDevice.start(), // The states of some calls were set by hand.
  stop: { except: ['an operation is as its last event says'] },
});
ids.backend = await device.register(node, 'fw');
const stranger = identity('OPERATOR', projectB);
const made = await call(node, 'ruleCreate', valid('firewallRuleCreate', { name: 'mine', idempotencyKey: 'used' }));
ids.mapping = made.mapping?.id ?? '';
ids.operation = made.operation?.id ?? '';
const { host, port, hostKeySha256 } = device.ssh;
const theirBackend = {
  name: 'theirs',
  host,
  port,
  hostKeySha256,
  credentials: { username: 'netops', password: 'secret' },
};
ids.foreignBackend = await registerBackend(node, theirBackend, stranger);
const theirs = await call(
  node,
  'ruleCreate',
  { ...valid('firewallRuleCreate', { name: 'theirs' }), backend: { name: 'theirs' } },
  stranger,
);
ids.foreignMapping = theirs.mapping?.id ?? '';
ids.foreignOperation = theirs.operation?.id ?? '';
await node.db.execute("UPDATE operation SET state = 'UNKNOWN', finished_at = NULL WHERE state = 'SUCCEEDED'");

/** Valid input for every mutation, changed for one case. */
function valid(mutation: string, change: Input = {}): Input {
  const cmpObject = { type: 'tenant', externalId: '1' };
  const selected = { idempotencyKey: newUuid(), backend: { name: 'fw' }, cmpObject };
  const inputs: Record<string, Input> = {
    backendCreate: {
      ...{ name: 'new', driver: 'linux-nftables', host: '192.0.2.1' },
      credentials: { username: 'u', password: 'p' },
    },
    backendUpdate: { id: ids.backend },
    backendHostKeyAccept: { id: ids.backend, hostKeySha256: hostKey },
    backendCircuitClose: { id: ids.backend },
    backendReplayLift: { id: ids.backend },
    backendDelete: { id: ids.backend },
    backendCertificateAccept: { id: ids.backend, certificateSha256: hostKey },
    mappingObjectDelete: { idempotencyKey: newUuid(), mappingId: ids.mapping },
    relayCall: { ...selected, operation: 'setElement.add', arguments: { set: 'blocked', address: '192.0.2.7' } },
    relayOperationSettle: { id: ids.operation },
    mappingAdopt: {
      ...{ backend: { name: 'fw' }, cmpObject, resource: 'rule', scope: 'inet filter forward', objectKey: 'there' },
    },
    mappingShare: { id: ids.mapping },
    mappingUnshare: { id: ids.mapping },
    mappingVerify: { id: ids.mapping },
    mappingForget: { id: ids.mapping },
  };
  const typed = typedInputs[mutation];
  return { ...(typed === undefined ? inputs[mutation] : { ...selected, ...typed }), ...change };
}

const idCases = (type: string, foreign: () => string, field = 'id'): readonly (() => Case)[] => [
  () => ({ what: 'an unknown id', change: { [field]: strangerId(type) }, code: 'NOT_FOUND', field: `input.${field}` }),
  () => ({ what: "another project's id", change: { [field]: foreign() }, code: 'NOT_FOUND', field: `input.${field}` }),
  () => ({ what: 'no id at all', change: { [field]: control }, code: 'NOT_FOUND', field: `input.${field}` }),
];
const keyCases: readonly (() => Case)[] = [
  () => ({ what: 'an endless key', change: { idempotencyKey: long }, code: 'TOO_LONG', field: 'input.idempotencyKey' }),
  () => ({
    what: 'a key with a control',
    change: { idempotencyKey: control },
    code: 'INVALID_INPUT',
    field: 'input.idempotencyKey',
  }),
];
const one = (what: string, change: Input, code: string, field: string) => () => ({ what, change, code, field });
const callCases: readonly (() => Case)[] = [
  ...keyCases,
  one('a wait without end', { waitMs: 120_001 }, 'INVALID_INPUT', 'input.waitMs'),
  one('a negative wait', { waitMs: -1 }, 'INVALID_INPUT', 'input.waitMs'),
];
const selectedCases: readonly (() => Case)[] = [
  ...callCases,
  () => ({
    what: 'an unknown backend',
    change: { backend: { id: strangerId('Backend') } },
    code: 'NOT_FOUND',
    field: 'input.backend',
  }),
  () => ({
    what: "another project's backend",
    change: { backend: { id: ids.foreignBackend } },
    code: 'NOT_FOUND',
    field: 'input.backend',
  }),
  one("another project's backend by name", { backend: { name: 'theirs' } }, 'NOT_FOUND', 'input.backend'),
  one('a selector that says nothing', { backend: {} }, 'INVALID_INPUT', 'input.backend'),
  one('an ordinal without family', { backend: { name: 'fw', ordinal: 1 } }, 'INVALID_INPUT', 'input.backend.ordinal'),
  one('a bad backend name', { backend: { name: control } }, 'INVALID_INPUT', 'input.backend.name'),
  one('a long backend name', { backend: { name: long } }, 'TOO_LONG', 'input.backend.name'),
  one("another project's id", { projectId: projectId(projectB) }, 'NOT_FOUND', 'input.projectId'),
  one('no project id', { projectId: control }, 'NOT_FOUND', 'input.projectId'),
  one(
    'a CMP type with a control',
    { cmpObject: { type: control, externalId: '1' } },
    'INVALID_INPUT',
    'input.cmpObject.type',
  ),
  one('a long CMP type', { cmpObject: { type: long, externalId: '1' } }, 'TOO_LONG', 'input.cmpObject.type'),
  one(
    'a CMP id with a control',
    { cmpObject: { type: 't', externalId: control } },
    'INVALID_INPUT',
    'input.cmpObject.externalId',
  ),
  one('a long CMP id', { cmpObject: { type: 't', externalId: long } }, 'TOO_LONG', 'input.cmpObject.externalId'),
  one(
    'a bad namespace',
    { cmpObject: { namespace: ' ', type: 't', externalId: '1' } },
    'INVALID_INPUT',
    'input.cmpObject.namespace',
  ),
  one(
    'a bad role',
    { cmpObject: { type: 't', externalId: '1', mappingRole: 'a b' } },
    'INVALID_INPUT',
    'input.cmpObject.mappingRole',
  ),
];
/** Faults beyond a single field, and those that a driver finds beyond its family's. */
const ownCases: Readonly<Record<string, readonly (() => Case)[]>> = {
  firewallAddressCreate: [
    one('a bad address', { content: { address: '1.2.3' } }, 'INVALID_INPUT', 'input.content.address'),
    one('a long name', { content: { fqdn: long } }, 'TOO_LONG', 'input.content.fqdn'),
  ],
  firewallAddressSetElementAdd: [
    one('a comment with a quote', { comment: 'a"b' }, 'INVALID_INPUT', 'input.comment'),
    one('a bad set', { set: 'a b' }, 'INVALID_INPUT', 'input.set'),
  ],
  firewallRuleCreate: [
    one('a bad name', { name: 'a b' }, 'INVALID_INPUT', 'input.name'),
    one('a bad chain', { chain: 'a; b' }, 'INVALID_INPUT', 'input.chain'),
    one('a bad source', { source: { address: '1.2.3' } }, 'INVALID_INPUT', 'input.source.address'),
    one('a bad destination', { destination: { address: '10.0.0.1/8' } }, 'INVALID_INPUT', 'input.destination.address'),
    one('a source with both', { source: { address: '10.0.0.1', set: 'blocked' } }, 'INVALID_INPUT', 'input.source'),
    one('a bad set', { source: { set: control } }, 'INVALID_INPUT', 'input.source.set'),
    one('a port without protocol', { destinationPort: 80 }, 'INVALID_INPUT', 'input.destinationPort'),
  ],
  firewallServiceCreate: [one('a range backwards', { lastPort: 1 }, 'INVALID_INPUT', 'input.lastPort')],
  firewallVipCreate: [one('a port alone', { externalPort: 80 }, 'INVALID_INPUT', 'input.externalPort')],
  switchPortVlanSet: [one('a trunk without VLANs', { mode: 'TRUNK' }, 'INVALID_INPUT', 'input.vlan')],
  // The only backend here is a firewall.
  switchVlanCreate: [one('another family', {}, 'NOT_SUPPORTED', '')],
  networkPortCreate: [one('an address without subnet', { address: '10.0.0.9' }, 'INVALID_INPUT', 'input.subnet')],
  networkSecurityGroupRuleCreate: [
    one('a port without protocol', { firstPort: 80 }, 'INVALID_INPUT', 'input.firstPort'),
  ],
};
const backendFieldCases: readonly (() => Case)[] = [
  ...keyCases,
  one('a bad host', { host: 'no host' }, 'INVALID_INPUT', 'input.host'),
  one('an address that is none', { host: '300.1.1.1' }, 'INVALID_INPUT', 'input.host'),
  one('a long host', { host: long }, 'TOO_LONG', 'input.host'),
  one('a host with a control', { host: 'a\u0000b' }, 'INVALID_INPUT', 'input.host'),
  one('port 0', { port: 0 }, 'INVALID_INPUT', 'input.port'),
  one('port 65536', { port: 65_536 }, 'INVALID_INPUT', 'input.port'),
  one('a long site', { site: long }, 'TOO_LONG', 'input.site'),
  one('a site with a control', { site: control }, 'INVALID_INPUT', 'input.site'),
  one('a bad label', { labels: [{ name: 'a b', value: '' }] }, 'INVALID_INPUT', 'input.labels.0.name'),
  one(
    'a label twice',
    {
      labels: [
        { name: 'a', value: '' },
        { name: 'a', value: 'x' },
      ],
    },
    'INVALID_INPUT',
    'input.labels.1.name',
  ),
  one('a long label', { labels: [{ name: 'a', value: long }] }, 'TOO_LONG', 'input.labels.0.value'),
  one('no concurrency', { limits: { concurrency: 0 } }, 'INVALID_INPUT', 'input.limits.concurrency'),
  one('too long a queue', { limits: { queueLimit: 10_001 } }, 'INVALID_INPUT', 'input.limits.queueLimit'),
  one('too short a deadline', { limits: { deadlineMs: 99 } }, 'INVALID_INPUT', 'input.limits.deadlineMs'),
  one('a long user name', { credentials: { username: long, password: 'p' } }, 'TOO_LONG', 'input.credentials.username'),
  one('no secret', { credentials: { username: 'u' } }, 'INVALID_INPUT', 'input.credentials'),
  one(
    'two secrets',
    { credentials: { username: 'u', password: 'p', privateKey: 'k' } },
    'INVALID_INPUT',
    'input.credentials',
  ),
];
const hostKeyCases: readonly (() => Case)[] = [
  one('a bad host key', { hostKeySha256: 'MD5:00' }, 'INVALID_INPUT', 'input.hostKeySha256'),
  one('a long host key', { hostKeySha256: long }, 'TOO_LONG', 'input.hostKeySha256'),
];
const versionCase = one('an old version', { expectedVersion: 999 }, 'STALE_VERSION', 'input.expectedVersion');

const table: Record<string, { readonly inputType: string; readonly cases: readonly (() => Case)[] }> = {
  backendCreate: {
    inputType: 'BackendCreateInput',
    cases: [
      ...backendFieldCases,
      ...hostKeyCases,
      one('a bad name', { name: 'a b' }, 'INVALID_INPUT', 'input.name'),
      one('a name with a control', { name: control }, 'INVALID_INPUT', 'input.name'),
      one('a long name', { name: long }, 'TOO_LONG', 'input.name'),
      one('a name that is taken', { name: 'fw' }, 'ALREADY_EXISTS', 'input.name'),
      one('no such driver', { driver: 'nonsense' }, 'INVALID_INPUT', 'input.driver'),
      one("another project's id", { projectId: projectId(projectB) }, 'NOT_FOUND', 'input.projectId'),
    ],
  },
  backendUpdate: {
    inputType: 'BackendUpdateInput',
    cases: [...idCases('Backend', () => ids.foreignBackend), ...backendFieldCases, versionCase],
  },
  backendHostKeyAccept: {
    inputType: 'BackendHostKeyAcceptInput',
    cases: [...idCases('Backend', () => ids.foreignBackend), ...keyCases, ...hostKeyCases],
  },
  backendCertificateAccept: {
    inputType: 'BackendCertificateAcceptInput',
    cases: [
      ...idCases('Backend', () => ids.foreignBackend),
      ...keyCases,
      one('no fingerprint', { certificateSha256: 'AA:BB' }, 'INVALID_INPUT', 'input.certificateSha256'),
      one('a long fingerprint', { certificateSha256: long }, 'TOO_LONG', 'input.certificateSha256'),
    ],
  },
  backendCircuitClose: {
    inputType: 'BackendCircuitCloseInput',
    cases: [...idCases('Backend', () => ids.foreignBackend), ...keyCases],
  },
  backendReplayLift: {
    inputType: 'BackendReplayLiftInput',
    cases: [...idCases('Backend', () => ids.foreignBackend), ...keyCases],
  },
  backendDelete: {
    inputType: 'BackendDeleteInput',
    cases: [
      ...idCases('Backend', () => ids.foreignBackend),
      ...keyCases,
      versionCase,
      one('live mappings', {}, 'HAS_MAPPINGS', 'input.id'),
    ],
  },
  ...Object.fromEntries(
    Object.keys(typedInputs).map((mutation) => [
      mutation,
      {
        inputType: inputTypeOf(mutation),
        cases: [
          ...selectedCases,
          ...fieldFaults(mutation).map((fault) => () => fault),
          ...(ownCases[mutation] ?? []),
          one('too long a deadline', { deadlineMs: 600_001 }, 'INVALID_INPUT', 'input.deadlineMs'),
        ],
      },
    ]),
  ),
  mappingObjectDelete: {
    inputType: 'MappingObjectDeleteInput',
    cases: [...idCases('Mapping', () => ids.foreignMapping, 'mappingId'), ...callCases],
  },
  relayCall: {
    inputType: 'RelayCallInput',
    cases: [
      ...selectedCases,
      one('no such operation', { operation: 'nonsense' }, 'NOT_SUPPORTED', ''),
      one('a long operation', { operation: long }, 'TOO_LONG', 'input.operation'),
      one('a read', { operation: 'table.list', arguments: {} }, 'NOT_SUPPORTED', 'input.operation'),
      one('no arguments', { arguments: {} }, 'INVALID_ARGUMENTS', 'input.arguments.set'),
      one('no object', { arguments: 7 }, 'INVALID_ARGUMENTS', 'input.arguments'),
      one('a bad address', { arguments: { set: 's', address: 'x' } }, 'INVALID_ARGUMENTS', 'input.arguments.address'),
      one(
        'a name with a control',
        { arguments: { set: control, address: '10.0.0.1' } },
        'INVALID_ARGUMENTS',
        'input.arguments.set',
      ),
      one('a long name', { arguments: { set: long, address: '10.0.0.1' } }, 'INVALID_ARGUMENTS', 'input.arguments.set'),
      one(
        'an argument too many',
        { arguments: { set: 's', address: '10.0.0.1', x: 1 } },
        'INVALID_ARGUMENTS',
        'input.arguments.x',
      ),
      one('too long a deadline', { deadlineMs: 600_001 }, 'INVALID_INPUT', 'input.deadlineMs'),
      one(
        'no key where it is needed',
        { operation: 'rule.create', arguments: { name: 'r', action: 'drop' }, idempotencyKey: null },
        'KEY_REQUIRED',
        'input.idempotencyKey',
      ),
      one(
        'INIT where it is not allowed',
        { operation: 'chain.create', arguments: { chain: 'c' } },
        'INIT_NOT_ALLOWED',
        'input.operation',
      ),
    ],
  },
  mappingAdopt: {
    inputType: 'MappingAdoptInput',
    cases: [
      ...selectedCases.filter((make) => !['waitMs', 'deadlineMs'].some((field) => field in make().change)),
      one('a bad resource', { resource: 'A b' }, 'INVALID_INPUT', 'input.resource'),
      one('an unknown resource', { resource: 'nonsense' }, 'NOT_SUPPORTED', 'input.resource'),
      one('a long scope', { scope: long }, 'TOO_LONG', 'input.scope'),
      one('a scope with a control', { scope: control }, 'INVALID_INPUT', 'input.scope'),
      one('a long key', { objectKey: long }, 'TOO_LONG', 'input.objectKey'),
      one('a key with a control', { objectKey: control }, 'INVALID_INPUT', 'input.objectKey'),
      one('a long uuid', { uuid: long }, 'TOO_LONG', 'input.uuid'),
    ],
  },
  ...Object.fromEntries(
    ['mappingShare', 'mappingUnshare', 'mappingVerify', 'mappingForget'].map((mutation) => [
      mutation,
      { inputType: inputTypeOf(mutation), cases: [...idCases('Mapping', () => ids.foreignMapping), ...keyCases] },
    ]),
  ),
  relayOperationSettle: {
    inputType: 'RelayOperationSettleInput',
    cases: [
      ...idCases('RelayOperation', () => ids.foreignOperation),
      ...keyCases,
      one('a verdict without a note', { verdict: 'FAILED' }, 'INVALID_INPUT', 'input.note'),
      one('a long note', { verdict: 'FAILED', note: long }, 'TOO_LONG', 'input.note'),
      one('a note with a control', { verdict: 'FAILED', note: control }, 'INVALID_INPUT', 'input.note'),
    ],
  },
};

/** Everything in the database except the audit trail (which has the refusals) and heartbeats. */
async function everything(): Promise<Record<string, unknown>> {
  const tables = await node.db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()
      AND table_name NOT IN ('audit_entry', 'audit_chain', 'lease', 'status_sequencer', 'status_change')`,
  );
  const names = tables.map(({ name }) => `\`${name}\``).join();
  const sums = await node.db.query<{ Table: string; Checksum: unknown }>(`CHECKSUM TABLE ${names}`);
  const ofTables = sums.map(({ Table, Checksum }) => [Table.slice(Table.indexOf('.') + 1), Checksum] as const);
  return {
    ...Object.fromEntries(ofTables),
    events: await node.db.query('SELECT COUNT(*) AS n FROM status_change'),
  };
}

test('every mutation has its cases', () => {
  const type = node.relay.schema.getMutationType() as GraphQLObjectType;
  expect(isObjectType(type)).toBe(true);
  expect(Object.keys(table).sort()).toEqual(Object.keys(type.getFields()).sort());
});

describe.each(Object.entries(table))('%s', (mutation, { inputType, cases }) => {
  let before: Record<string, unknown>;
  let told: number;
  beforeAll(async () => {
    before = await everything();
    told = device.told.length;
  });
  afterEach(async () => {
    expect(await everything()).toEqual(before);
    expect(device.told.length).toBe(told);
  });

  test.each(cases.map((make) => [make().what, make] as const))('%s', async (_what, make) => {
    const { change, code, field } = make();
    const { data, errors } = await node.run<Record<string, { userErrors: { code: string; field: string[] }[] }>>(
      operator,
      `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { userErrors { code message field } commit { token } } }`,
      { input: valid(mutation, change) },
    );
    expect(errors).toEqual([]);
    const faults = data[mutation]?.userErrors.map((fault) => `${fault.code} ${fault.field.join('.')}`);
    expect(faults).toContain(`${code} ${field}`);
    expect(data[mutation]).toMatchObject({ commit: null });
  });

  test('a viewer may not call it', async () => {
    const { data, errors } = await node.run<Record<string, { userErrors: { code: string }[] }>>(
      identity('VIEWER'),
      `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { userErrors { code } } }`,
      { input: valid(mutation) },
    );
    expect(errors).toEqual([]);
    expect(data[mutation]?.userErrors.map((fault) => fault.code)).toEqual(['FORBIDDEN']);
  });

  test('a caller without login may not call it', async () => {
    const { data } = await node.run<Record<string, { userErrors: { code: string }[] }>>(
      null,
      `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { userErrors { code } } }`,
      { input: valid(mutation) },
    );
    expect(['NOT_FOUND', 'PROJECT_REQUIRED']).toContain(data[mutation]?.userErrors[0]?.code);
  });
});

// For backendCircuitClose only the id can differ.
describe('the same key with another input', () => {
  const second: Record<
    string,
    { readonly first: () => Input; readonly other: () => Input; readonly inputType: string }
  > = {
    backendCreate: {
      ...{ inputType: 'BackendCreateInput' },
      first: () => valid('backendCreate', { idempotencyKey: 'k1' }),
      other: () => valid('backendCreate', { idempotencyKey: 'k1', host: '192.0.2.2' }),
    },
    backendUpdate: {
      ...{ inputType: 'BackendUpdateInput' },
      first: () => valid('backendUpdate', { idempotencyKey: 'k2', site: 'a' }),
      other: () => valid('backendUpdate', { idempotencyKey: 'k2', site: 'b' }),
    },
    backendHostKeyAccept: {
      ...{ inputType: 'BackendHostKeyAcceptInput' },
      first: () => valid('backendHostKeyAccept', { idempotencyKey: 'k3', hostKeySha256: device.ssh.hostKeySha256 }),
      other: () => valid('backendHostKeyAccept', { idempotencyKey: 'k3' }),
    },
    backendCertificateAccept: {
      ...{ inputType: 'BackendCertificateAcceptInput' },
      first: () => valid('backendCertificateAccept', { idempotencyKey: 'k4' }),
      other: () =>
        valid('backendCertificateAccept', { idempotencyKey: 'k4', certificateSha256: `SHA256:${'D'.repeat(43)}` }),
    },
    firewallAddressSetElementAdd: {
      ...{ inputType: 'FirewallAddressSetElementAddInput' },
      first: () => valid('firewallAddressSetElementAdd', { idempotencyKey: 'k5' }),
      other: () => valid('firewallAddressSetElementAdd', { idempotencyKey: 'k5', address: '192.0.2.8' }),
    },
    firewallAddressSetElementRemove: {
      ...{ inputType: 'FirewallAddressSetElementRemoveInput' },
      first: () => valid('firewallAddressSetElementRemove', { idempotencyKey: 'k6' }),
      other: () => valid('firewallAddressSetElementRemove', { idempotencyKey: 'k6', address: '192.0.2.8' }),
    },
    firewallRuleCreate: {
      ...{ inputType: 'FirewallRuleCreateInput' },
      first: () => valid('firewallRuleCreate', { idempotencyKey: 'k7' }),
      other: () => valid('firewallRuleCreate', { idempotencyKey: 'k7', action: 'ACCEPT' }),
    },
    mappingObjectDelete: {
      ...{ inputType: 'MappingObjectDeleteInput' },
      first: () => valid('mappingObjectDelete', { idempotencyKey: 'k8', force: true }),
      other: () => valid('mappingObjectDelete', { idempotencyKey: 'k8', force: false }),
    },
    relayCall: {
      ...{ inputType: 'RelayCallInput' },
      first: () => valid('relayCall', { idempotencyKey: 'k9' }),
      other: () => valid('relayCall', { idempotencyKey: 'k9', deadlineMs: 5_000 }),
    },
    relayOperationSettle: {
      ...{ inputType: 'RelayOperationSettleInput' },
      first: () => valid('relayOperationSettle', { idempotencyKey: 'k10', verdict: 'SUCCEEDED', note: 'seen' }),
      other: () => valid('relayOperationSettle', { idempotencyKey: 'k10', verdict: 'SUCCEEDED', note: 'seen too' }),
    },
    backendDelete: {
      ...{ inputType: 'BackendDeleteInput' },
      first: () => valid('backendDelete', { idempotencyKey: 'k11', orphanMappings: true }),
      other: () => valid('backendDelete', { idempotencyKey: 'k11', orphanMappings: false }),
    },
  };

  test.each(Object.entries(second))('%s', async (mutation, parts) => {
    const text = `mutation ($input: ${parts.inputType}!) { ${mutation}(input: $input) { userErrors { code message field } commit { token } } }`;
    const run = (input: Input) =>
      node.run<Record<string, { userErrors: { code: string; field: string[] }[] }>>(operator, text, { input });
    const first = await run(parts.first());
    expect(first.data[mutation]?.userErrors).toEqual([]);
    const before = await everything();
    const told = device.told.length;
    const other = await run(parts.other());
    expect(other.data[mutation]?.userErrors).toMatchObject([
      { code: 'KEY_CONFLICT', field: ['input', 'idempotencyKey'] },
    ]);
    const again = await run(parts.first());
    expect(again.data[mutation]?.userErrors).toEqual([]);
    const after = await everything();
    // Reading the outcome of a call leaves a commit mark, and nothing else.
    expect({ ...after, commit_record: null }).toEqual({ ...before, commit_record: null });
    expect(device.told.length).toBe(told);
  });
});
