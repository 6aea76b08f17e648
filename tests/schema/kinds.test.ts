// The registry of manageable kinds. It covers the whole graph, and its inferred facts are right.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { registry } from '../../generated/kinds/registry.ts';
import type { DescribedKind } from '../../platform/graph/described/kind.ts';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import type { JsonObject } from '../../platform/values/json.ts';
import { declaredKinds, exceptions } from '../../schema/kinds/declared.ts';
import { adminSchema, deriveRegistry, mutationsByKind } from '../../schema/kinds/derive.ts';
import { actionDocument, childrenDocument, listDocument, oneDocument } from '../../schema/kinds/documents.ts';
import { kebab, ownFields } from '../../schema/kinds/kind.ts';
import { describedKinds } from '../../subgraphs/gslb/spec/kinds.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';
import { typedMutations } from '../../subgraphs/relay/spec/families.ts';

const schema = adminSchema(readSupergraph());
const kinds = Object.values(registry.kinds);
const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});

test('every mutation belongs to a kind, is relayed, or is an exception with a reason', () => {
  expect(mutationsByKind(schema).others).toEqual([]);
  const named = exceptions.flatMap(({ mutations: each }) => each);
  expect(named.filter((each) => !mutations.includes(each))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
  for (const { reason } of exceptions) expect(reason).toMatch(/^[A-Z].*\.$/);
});

test('calls are the mutations that are relayed to a backend selected by their input', () => {
  const names = Object.keys(registry.calls);
  expect(names).toEqual(expect.arrayContaining(['relayCall', 'firewallAddressCreate', 'networkPortCreate']));
  const typed = typedMutations.map(({ name }) => name);
  expect(names.toSorted()).toEqual([...typed, 'relayCall'].sort());
  for (const { object, role } of Object.values(registry.calls)) expect([object, role]).toEqual(['operation', 'MEMBER']);
});

test('a mutation of an undeclared kind is found', () => {
  const sdl = readSupergraph().replace('userCreate(', 'badgeCreate(');
  expect(mutationsByKind(adminSchema(sdl)).others).toEqual(['badgeCreate']);
});

test('the generated registry matches the graph', () => {
  expect(JSON.parse(JSON.stringify(registry))).toEqual(JSON.parse(JSON.stringify(deriveRegistry(schema))));
});

test('the kinds that people manage are there', () => {
  // Objects are created at a cluster over HTTP, so the graph has no mutation for them.
  const wanted = [
    ...['backends', 'loadbalancers', 'listeners', 'pools', 'members', 'health-monitors', 'l7policies', 'l7rules'],
    ...['certificates', 'subnets', 'gslbs', 'gslb-pools', 'gslb-members', 'gslb-monitors', 'flavors', 'zones'],
    ...['dns-backends', 'vantage-points', 'containers', 'access-keys', 'options', 'quotas', 'projects', 'users'],
    ...['memberships', 'tokens', 'machines', 'hosts', 'clusters', 'autoscaling-policies'],
    ...['alert-rules', 'alert-channels'],
  ];
  expect(kinds.map(({ noun }) => noun).sort()).toEqual(wanted.sort());
});

test('a word names one kind', () => {
  const words = kinds.flatMap(({ noun, singular, short }) => [noun, singular, ...short]);
  expect(words.filter((each, at) => words.indexOf(each) !== at)).toEqual([]);
  for (const word of words) expect(word).toMatch(/^[a-z][a-z0-9]*(-[a-z]+)*$/);
});

describe.each(kinds)('$type', (kind) => {
  test('its documents are valid', () => {
    const texts = Object.values(kind.actions).map((action) => actionDocument(registry, kind, action));
    if (kind.node) texts.push(oneDocument(registry, kind));
    if (kind.parent !== undefined) texts.push(childrenDocument(registry, kind));
    if (kind.list !== undefined) {
      const filters = kind.list.filters.map(({ name }) => name);
      texts.push(listDocument(registry, kind, []), listDocument(registry, kind, filters));
    }
    // The limits of the gateway (docs/security.md).
    for (const text of texts) expect((text.match(/\w+: \w+/g) ?? []).length).toBeLessThan(30);
    for (const text of texts)
      expect([text, validate(schema, parse(text)).map(({ message }) => message)]).toEqual([text, []]);
  });

  test('every name in it exists', () => {
    for (const { input } of Object.values(kind.actions)) expect(registry.inputs).toHaveProperty(input);
    if (kind.parent !== undefined) expect(registry.kinds).toHaveProperty(kind.parent.kind);
    const make = kind.actions.create ?? kind.actions.set;
    const names = make === undefined ? [] : (registry.inputs[make.input]?.fields ?? []).map(({ name }) => name);
    if (make !== undefined) for (const each of kind.key) expect(names).toContain(each);
    // A name is looked up in a list of the kind, or of one parent.
    expect(kind.list ?? kind.parent).toBeDefined();
  });

  test('it refers only to itself and to earlier kinds, so that objects can be created in this order', () => {
    const order = Object.keys(registry.kinds);
    const make = kind.actions.create ?? kind.actions.set;
    const referred = (registry.inputs[make?.input ?? '']?.fields ?? []).flatMap(({ refersTo }) => refersTo ?? []);
    expect(referred.filter((each) => order.indexOf(each) > order.indexOf(kind.type))).toEqual([]);
  });
});

test('inputs name existing inputs, enums and scalars, and declare the types behind their IDs', () => {
  for (const [input, { fields }] of Object.entries(registry.inputs))
    for (const { name, type, refersTo, description } of fields) {
      expect(schema.getType(type)).toBeDefined();
      expect([input, name, description.length > 0]).toEqual([input, name, true]);
      // An alert rule may watch any object.
      if (type === 'ID' && !ownFields.has(name) && name !== 'watchedSubjectId')
        expect(Object.keys(declaredKinds)).toContain(refersTo);
    }
});

test('bounds and secrets match the specs', () => {
  const specs: readonly DescribedKind[] = [...describedKinds, ...Object.values(partKinds)];
  let compared = 0;
  const differing: unknown[] = [];
  const compare = (input: string, fields: Readonly<Record<string, { readonly schema: JsonObject }>>) => {
    for (const { name, bounds, secret, type, list } of registry.inputs[input]?.fields ?? []) {
      const spec = fields[name]?.schema;
      if (spec === undefined || list === true) continue;
      if ((secret === true) !== (spec.writeOnly === true)) differing.push([input, name, { secret }, spec]);
      if ((type !== 'Int' && type !== 'Float') || spec.minimum === undefined) continue;
      compared += 1;
      const { minimum: least, maximum: most } = spec;
      if (bounds?.least !== least || bounds?.most !== most) differing.push([input, name, bounds, { least, most }]);
    }
  };
  for (const { name, fields } of specs) {
    compare(`${name}CreateInput`, fields);
    compare(`${name}UpdateInput`, fields);
  }
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThan(50);
});

test('secrets and texts of several lines come from files', () => {
  const marked = Object.entries(registry.inputs).flatMap(([input, { fields }]) =>
    fields.flatMap(({ name, secret, file }) =>
      secret ? [`${input}.${name} secret`] : file ? [`${input}.${name}`] : [],
    ),
  );
  expect(marked).toEqual(
    expect.arrayContaining([
      ...['UserCreateInput.password secret', 'UserUpdateInput.currentPassword secret'],
      ...['TlsCertificateCreateInput.privateKey secret', 'TlsCertificateCreateInput.chain'],
      ...['DnsBackendCredentialsInput.apiKey secret', 'DnsBackendCredentialsInput.keySecret secret'],
      ...['AlertSlackInput.url secret', 'AlertWebhookInput.url secret'],
      ...['GslbMonitorAuthInput.token secret', 'BackendCredentialsInput.passphrase secret'],
    ]),
  );
  const once = kinds.flatMap(({ type, actions }) =>
    Object.values(actions).flatMap(({ secrets = [] }) => secrets.map((each) => `${type}.${each}`)),
  );
  expect([...new Set(once)].sort()).toEqual([
    ...['AlertChannel.secret', 'ApiToken.secret', 'Machine.joinToken', 'ObjectAccessKey.secret'],
  ]);
});

test('a browser can load the registry: it imports nothing from Node', async () => {
  const root = join(import.meta.dirname, '../..');
  const seen = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await readFile(path, 'utf8');
    for (const [, target = ''] of text.matchAll(/^(?:import|export) .* from '([^']+)'/gm)) {
      expect([path, target]).toEqual([path, expect.stringMatching(/^\.\.?\//)]);
      await visit(join(dirname(path), target));
    }
  };
  for (const each of ['generated/kinds/registry.ts', 'schema/kinds/documents.ts']) await visit(join(root, each));
  expect(seen.size).toBe(3);
});

test('names become words of the command line', () => {
  expect(['minUp', 'stickyIpv4Bits', 'name', 'caCertificates'].map(kebab)).toEqual([
    ...['min-up', 'sticky-ipv4-bits', 'name', 'ca-certificates'],
  ]);
});
