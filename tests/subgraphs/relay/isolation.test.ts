// Another project's objects do not exist: on every root field and every entity of the relay's SDL. A new field without a case
// here fails the first test.
import { describe, expect, test } from '@jest/globals';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { element, NftDevice } from './support/nft-device.ts';
import { call, identity, projectA, projectB, projectId, registerBackend } from './support/relay-system.ts';
import { startRelay } from './support/start-relay.ts';
import { inputTypeOf, typedInputs } from './support/typed-inputs.ts';

const owner = identity('OPERATOR', projectA);
const stranger = identity('OPERATOR', projectB);
const cmp = { namespace: 'default', type: 'tenant', externalId: 'shared-name' };

const ids = { backend: '', operation: '', mapping: '', cmp: encodeCmpObject(cmp) };

const { node, device } = await startRelay({ device: () => NftDevice.start() });
ids.backend = await device.register(node, 'secret-fw', { labels: [{ name: 'rack', value: 'secret' }] });
const cmpObject = { type: cmp.type, externalId: cmp.externalId };
const made = await call(node, 'ruleCreate', {
  ...{ backend: { name: 'secret-fw' }, cmpObject, idempotencyKey: 'k', name: 'secret-rule', action: 'DROP' },
});
ids.operation = made.operation?.id ?? '';
ids.mapping = made.mapping?.id ?? '';
await node.db.execute("UPDATE backend SET operating_status = 'OFFLINE'");

/** Texts that only the owner may read. */
const secrets = () => ['secret', ids.backend, ids.operation, ids.mapping].filter((text) => text !== '');

interface Probe {
  readonly text: string;
  readonly variables?: () => Record<string, unknown>;
  /** What only the owner reads, beside the texts of `secrets`. */
  readonly secret?: RegExp;
}

const fields = { backend: 'id name host', operation: 'id name arguments wireCall', mapping: 'id objectKey scope' };
const selector = () => ({ id: ids.backend });
const errorsOnly = 'userErrors { code }';

const queries: Record<string, Probe> = {
  backend: {
    text: `query ($id: ID!) { backend(id: $id) { ${fields.backend} } }`,
    variables: () => ({ id: ids.backend }),
  },
  backends: {
    text: `query ($p: ID) { all: backends { nodes { ${fields.backend} } } theirs: backends(projectId: $p) { nodes { ${fields.backend} } } }`,
    variables: () => ({ p: projectId(projectA) }),
  },
  backendsAt: {
    text: `query { whole: backendsAt(address: "127.0.0.1") { ${fields.backend} } start: backendsAt(address: "12") { ${fields.backend} } }`,
  },
  relayOperation: {
    text: `query ($id: ID!) { relayOperation(id: $id) { ${fields.operation} } }`,
    variables: () => ({ id: ids.operation }),
  },
  relayOperations: {
    text: `query ($p: ID, $b: ID, $t: String, $c: CmpObjectInput) { relayOperations { nodes { ${fields.operation} } } o2: relayOperations(projectId: $p) { nodes { ${fields.operation} } } o3: relayOperations(backendId: $b) { nodes { ${fields.operation} } } o4: relayOperations(text: $t) { nodes { ${fields.operation} } } o5: relayOperations(cmpObject: $c, text: "firewall") { nodes { ${fields.operation} } } }`,
    variables: () => ({ p: projectId(projectA), b: ids.backend, t: ids.operation, c: cmp }),
  },
  // Counts of calls: whoever may not see a call may not count it either.
  relayOperationCounts: {
    text: `query ($p: ID, $b: ID, $c: CmpObjectInput) { relayOperationCounts { ...Counts } c2: relayOperationCounts(projectId: $p) { ...Counts }
      c3: relayOperationCounts(backendId: $b) { ...Counts } c4: relayOperationCounts(cmpObject: $c) { ...Counts }
      c5: relayOperationCounts(text: "secret") { ...Counts } }
      fragment Counts on RelayOperationCount { state count }`,
    variables: () => ({ p: projectId(projectA), b: ids.backend, c: cmp }),
    secret: /"count":[1-9]/,
  },
  mapping: {
    text: `query ($id: ID!) { mapping(id: $id) { ${fields.mapping} } }`,
    variables: () => ({ id: ids.mapping }),
  },
  mappings: {
    text: `query ($p: ID, $b: ID) { mappings { nodes { ${fields.mapping} } } m2: mappings(projectId: $p) { nodes { ${fields.mapping} } } m3: mappings(backendId: $b) { nodes { ${fields.mapping} } } }`,
    variables: () => ({ p: projectId(projectA), b: ids.backend }),
  },
  relayMappingChanges: {
    text: `query ($p: ID) { relayMappingChanges { mappings { ${fields.mapping} } } r2: relayMappingChanges(projectId: $p) { mappings { ${fields.mapping} } } }`,
    variables: () => ({ p: projectId(projectA) }),
  },
  relayRead: {
    text: 'query ($input: RelayReadInput!) { relayRead(input: $input) { result wireCall userErrors { code } } }',
    variables: () => ({ input: { backend: selector(), operation: 'table.list', arguments: {} } }),
  },
  backendProofRead: {
    text: 'query ($input: BackendProofReadInput!) { backendProofRead(input: $input) { presented { sha256 } deviceError { message } userErrors { code } } }',
    variables: () => ({
      input: { projectId: projectId(projectA), driver: 'linux-nftables', host: '127.0.0.1', port: 1 },
    }),
  },
  // The same for everybody: the relay's capabilities.
  relayDrivers: { text: '{ relayDrivers { name } }' },
};

const mutation = (name: string, type: string, result: string, input: () => Record<string, unknown>): Probe => ({
  text: `mutation ($input: ${type}!) { ${name}(input: $input) { ${result} ${errorsOnly} } }`,
  variables: () => ({ input: { idempotencyKey: `stranger-${name}`, ...input() } }),
});
const backendResult = `backend { ${fields.backend} }`;
const callResult = `operation { ${fields.operation} } mapping { ${fields.mapping} } wireCall`;
const mappingResult = `mapping { ${fields.mapping} }`;
const mutationProbes: Record<string, Probe> = {
  backendCreate: mutation('backendCreate', 'BackendCreateInput', backendResult, () => ({
    ...{ projectId: projectId(projectA), name: 'x', driver: 'linux-nftables', host: '192.0.2.1' },
    credentials: { username: 'u', password: 'p' },
  })),
  backendUpdate: mutation('backendUpdate', 'BackendUpdateInput', backendResult, () => ({ id: ids.backend, site: 'x' })),
  backendHostKeyAccept: mutation('backendHostKeyAccept', 'BackendHostKeyAcceptInput', backendResult, () => ({
    ...{ id: ids.backend, hostKeySha256: `SHA256:${'C'.repeat(43)}` },
  })),
  backendCertificateAccept: mutation(
    ...(['backendCertificateAccept', 'BackendCertificateAcceptInput', backendResult] as const),
    () => ({ id: ids.backend, certificateSha256: `SHA256:${'C'.repeat(43)}` }),
  ),
  backendCircuitClose: mutation('backendCircuitClose', 'BackendCircuitCloseInput', backendResult, () => ({
    id: ids.backend,
  })),
  backendReplayLift: mutation('backendReplayLift', 'BackendReplayLiftInput', backendResult, () => ({
    id: ids.backend,
  })),
  backendDelete: mutation('backendDelete', 'BackendDeleteInput', backendResult, () => ({
    ...{ id: ids.backend, orphanMappings: true },
  })),
  mappingObjectDelete: mutation('mappingObjectDelete', 'MappingObjectDeleteInput', callResult, () => ({
    mappingId: ids.mapping,
  })),
  relayCall: mutation('relayCall', 'RelayCallInput', callResult, () => ({
    ...{
      backend: { label: { name: 'rack', value: 'secret' } },
      operation: 'set.delete',
      arguments: { set: 'blocked' },
    },
  })),
  mappingAdopt: mutation('mappingAdopt', 'MappingAdoptInput', mappingResult, () => ({
    ...{ backend: selector(), resource: 'address-set', scope: 'inet filter', objectKey: 'blocked' },
    cmpObject: { type: cmp.type, externalId: cmp.externalId },
  })),
  mappingShare: mutation('mappingShare', 'MappingShareInput', mappingResult, () => ({ id: ids.mapping })),
  mappingUnshare: mutation('mappingUnshare', 'MappingUnshareInput', mappingResult, () => ({ id: ids.mapping })),
  mappingVerify: mutation('mappingVerify', 'MappingVerifyInput', mappingResult, () => ({ id: ids.mapping })),
  mappingForget: mutation('mappingForget', 'MappingForgetInput', `deletedId ${mappingResult}`, () => ({
    id: ids.mapping,
  })),
  relayOperationSettle: mutation(
    'relayOperationSettle',
    'RelayOperationSettleInput',
    `operation { ${fields.operation} }`,
    () => ({
      ...{ id: ids.operation, verdict: 'FAILED', note: 'x', force: true },
    }),
  ),
  ...Object.fromEntries(
    Object.entries(typedInputs).map(([name, own]) => [
      name,
      mutation(name, inputTypeOf(name), callResult, () => ({ backend: selector(), ...own })),
    ]),
  ),
};

const subscriptions: Record<string, string> = {
  relayOperationChanges: `subscription ($after: String) { relayOperationChanges(after: $after) { cursor operation { ${fields.operation} } } }`,
  backendChanges: `subscription ($after: String) { backendChanges(after: $after) { cursor backend { ${fields.backend} } } }`,
};

const entities: Record<string, () => string> = {
  Backend: () => `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Backend { ${fields.backend} } } }`,
  RelayOperation: () =>
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on RelayOperation { ${fields.operation} } } }`,
  Mapping: () => `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Mapping { ${fields.mapping} } } }`,
  Attention: () =>
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Attention { relay { totalCount needs { subjectName subjectId reason } } } } }',
  CmpObject: () =>
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on CmpObject { mappings { nodes { ${fields.mapping} } } relayOperations { nodes { ${fields.operation} } } } } }`,
};
const entityIds: Record<string, () => string> = {
  Backend: () => ids.backend,
  RelayOperation: () => ids.operation,
  Mapping: () => ids.mapping,
  Attention: () => 'now',
  CmpObject: () => ids.cmp,
};

test('every root field and every entity has its case', () => {
  const { schema } = node.relay;
  const names = (type: ReturnType<typeof schema.getQueryType>) => Object.keys(type?.getFields() ?? {});
  expect(names(schema.getQueryType()).filter((name) => !name.startsWith('_'))).toEqual(Object.keys(queries));
  expect(names(schema.getMutationType()).sort()).toEqual(Object.keys(mutationProbes).sort());
  expect(names(schema.getSubscriptionType())).toEqual(Object.keys(subscriptions));
  const entityUnion = schema.getType('_Entity');
  const types = entityUnion !== undefined && 'getTypes' in entityUnion ? entityUnion.getTypes() : [];
  expect(types.length).toBeGreaterThan(3);
  expect(
    types
      .map((type) => type.name)
      .filter((name) => !['Project', 'User', 'ApiToken'].includes(name))
      .sort(),
  ).toEqual(Object.keys(entities).sort());
});

async function asked(who: Identity | null, probe: Probe): Promise<string> {
  return JSON.stringify(await node.run(who, probe.text, probe.variables?.() ?? {}));
}

describe.each([
  ['a stranger', stranger],
  ['nobody', null],
] as const)('%s', (_who, who) => {
  test.each(Object.entries({ ...queries, ...mutationProbes }))('reads nothing with %s', async (name, probe) => {
    const before = await node.db.query('SELECT version FROM backend ORDER BY id');
    const answer = await asked(who, probe);
    for (const secret of secrets()) expect(answer.replaceAll(/"message":"[^"]*"/g, '')).not.toContain(secret);
    if (probe.secret !== undefined) expect(answer).not.toMatch(probe.secret);
    if (name in mutationProbes) expect(answer).toMatch(/NOT_FOUND|PROJECT_REQUIRED/);
    expect(await node.db.query('SELECT version FROM backend ORDER BY id')).toEqual(before);
  });

  test.each(Object.entries(entities))('reads nothing as entity %s', async (type, text) => {
    const answer = await node.run(who, text(), { r: [{ __typename: type, id: entityIds[type]?.() }] });
    for (const secret of secrets()) expect(JSON.stringify(answer)).not.toContain(secret);
  });
});

test('the owner reads all of it, so that the cases above can fail', async () => {
  for (const [name, probe] of Object.entries(queries))
    if (!['relayDrivers', 'relayRead', 'backendProofRead'].includes(name))
      expect(await asked(owner, probe)).toMatch(probe.secret ?? /secret/);
  for (const [type, text] of Object.entries(entities)) {
    const answer = await node.run(owner, text(), { r: [{ __typename: type, id: entityIds[type]?.() }] });
    expect(JSON.stringify(answer)).toContain('secret');
  }
});

async function follow(
  who: Identity,
  text: string,
  after: string | null,
  until: (item: string) => boolean,
): Promise<string[]> {
  const contextValue = { identity: who, requestId: 'r', loaders: new Map() };
  const args = { schema: node.relay.schema, document: parse(text), variableValues: { after }, contextValue };
  const stream = (await subscribe(args)) as AsyncGenerator<ExecutionResult>;
  const items: string[] = [];
  for await (const item of stream) {
    items.push(JSON.stringify(item));
    if (until(items.at(-1) ?? '')) break;
  }
  return items;
}

test.each(Object.entries(subscriptions))('%s shows each caller only their own', async (name, text) => {
  const after = await node.feed.currentCursor();
  await device.register(node, `secret-${name}`);
  await call(node, 'add', element(`secret-${name}`, '10.7.7.7'));
  // An event of the stranger's own ends their stream.
  const { host, port, hostKeySha256 } = device.ssh;
  const credentials = { username: 'u', password: 'secret' };
  await registerBackend(node, { name: `own-${name}`, host, port, hostKeySha256, credentials }, stranger);
  await call(node, 'add', element(`own-${name}`, '10.7.7.8'), stranger);
  const own = name === 'backendChanges' ? `own-${name}` : '10.7.7.8';
  const theirs = await follow(stranger, text, after, (item) => item.includes(own));
  for (const item of theirs) expect(item).not.toMatch(/secret|10\.7\.7\.7/);
  const ours = await follow(owner, text, after, (item) =>
    item.includes(name === 'backendChanges' ? `secret-${name}` : '10.7.7.7'),
  );
  expect(ours.length).toBeGreaterThan(0);
});

test('a name that is nearly one is told to those who may see it, and to nobody else', async () => {
  const nearly = async (who: Identity) => {
    const input = {
      ...{ backend: { name: 'secret-fv' }, cmpObject: { type: 'tenant', externalId: 'near' }, idempotencyKey: 'near' },
      ...{ name: 'rule', action: 'DROP' },
    };
    const { userErrors } = await call(node, 'ruleCreate', input, who);
    return userErrors.map(({ code, message }) => `${code}: ${message}`);
  };
  expect(await nearly(owner)).toEqual(['NOT_FOUND: there is no backend secret-fv; secret-fw is near']);
  expect(await nearly(stranger)).toEqual(['NOT_FOUND: there is no backend secret-fv']);
});
