// The words of the next domains are free: a load balancer in Octavia's terms, a GSLB in Kosmos' and an object storage in Swift's
// compose with the present graph, and no word has two meanings.
import { expect, test } from '@jest/globals';
import type { GraphQLEnumType, GraphQLObjectType } from 'graphql';
import { apiSchemaOf, foreignNodes, graphOf, joinSdl, readOwnGraph } from '../../platform/graph/sdl.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { lintGraph } from '../../tools/check/sdl-lint.ts';

const octavia = `
  enum Protocol { HTTP HTTPS TCP TERMINATED_HTTPS }
  type LoadBalancer implements Node @key(fields: "id") {
    id: ID! version: Int! project: Project name: String! vipAddress: String
    provisioningStatus: ProvisioningStatus! operatingStatus: OperatingStatus!
    listeners: [Listener!]! cmpObject: CmpObject
  }
  type Listener implements Node @key(fields: "id") { id: ID! protocol: Protocol! port: Port! defaultPool: Pool }
  type Pool implements Node @key(fields: "id") { id: ID! members: [Member!]! healthMonitor: HealthMonitor }
  type Member { address: String! weight: Int! operatingStatus: OperatingStatus! }
  type HealthMonitor { type: Protocol! delayMs: Int! }
  type LoadBalancerHost implements Node @key(fields: "id") { id: ID! }
  type Label { name: String! value: String! }
  input LabelInput { name: String! value: String! }
  input PoolCreateInput { name: String! labels: [LabelInput!] }
  type PoolPayload { pool: Pool userErrors: [UserError!]! commit: Commit }
  type Operation { state: OperationState! }
  enum OperationState { RUNNING DONE }
  extend type Project { loadBalancers: [LoadBalancer!] }
  extend type CmpObject { loadBalancers: [LoadBalancer!] }
  type Query { loadBalancer(id: ID!): LoadBalancer operation(id: ID!): Operation operations: [Operation!]! }
  type Mutation { poolCreate(input: PoolCreateInput!): PoolPayload! }`;

const kosmos = `
  enum Status { UP DOWN UNKNOWN }
  enum CheckResult { PASSED FAILED TIMED_OUT }
  type Gslb implements Node @key(fields: "id") { id: ID! name: String! status: Status! pools: [GslbPool!]! }
  type GslbPool { region: Region! endpoints: [Endpoint!]! monitor: Monitor policy: RoutingPolicy! }
  type Endpoint { host: String! weight: Int! status: Status! votes: [Vote!]! }
  type Vote { checker: Checker! result: CheckResult! at: DateTime! }
  type Checker { vantagePoint: String! driver: Driver! }
  type Driver { name: String! }
  type Monitor { intervalMs: Int! }
  type Region { name: String! }
  enum RoutingPolicy { ROUND_ROBIN FAILOVER GEO }
  extend type CmpObject { gslbs: [Gslb!] }
  type Query { gslb(id: ID!): Gslb drivers: [Driver!]! }`;

const swift = `
  enum StorageState { ONLINE OFFLINE DRAINING }
  type Container implements Node @key(fields: "id") { id: ID! account: Account! objects: [StoredObject!]! role: Role! }
  type Account { name: String! quota: Quota }
  type Quota { bytes: Int! }
  type StoredObject { name: String! etag: String! replicas: [Replica!]! verification: VerificationResult }
  type Replica { device: Device! partition: Int! state: StorageState! }
  type Device { zone: String! weight: Int! error: DeviceError }
  type DeviceError { code: String! }
  type Ring { partitionPower: Int! replicaCount: Int! devices: [Device!]! }
  enum VerificationResult { QUARANTINED INTACT }
  enum Role { READER WRITER OWNER }
  extend type Project { containers: [Container!] }
  type Query { container(id: ID!): Container ring: Ring }`;

const rows = subgraphRows.filter(({ name }) => !['loadbalancer', 'gslb', 'object-storage'].includes(name));
const served = [...readOwnGraph()].filter(([name]) => rows.some((row) => row.name === name));
const whole = joinSdl(new Map([...served, ['loadbalancer', octavia], ['gslb', kosmos], ['object-storage', swift]]));

test("Octavia's, Kosmos' and Swift's words compose with the graph, each with its own values", () => {
  const schema = apiSchemaOf(composeSupergraph(whole));
  const values = (name: string) => (schema.getType(name) as GraphQLEnumType).getValues().map((value) => value.name);
  expect(values('OperatingStatus')).toEqual(expect.arrayContaining(['ONLINE', 'DEGRADED', 'NO_MONITOR']));
  expect(values('OperationState')).toEqual(['RUNNING', 'DONE']);
  expect(values('Role')).toEqual(['READER', 'WRITER', 'OWNER']);
  const fieldsOf = (name: string) => Object.keys((schema.getType(name) as GraphQLObjectType).getFields());
  expect(fieldsOf('CmpObject')).toEqual(expect.arrayContaining(['mappings', 'loadBalancers', 'gslbs', 'externalId']));
  expect(fieldsOf('Project')).toEqual(expect.arrayContaining(['members', 'loadBalancers', 'containers']));
});

test.each(subgraphRows.filter(({ name }) => name !== 'system').map(({ name }) => name))(
  'system and %s compose without the others: links to what is absent are left out',
  (name) => {
    const two = subgraphRows.filter((row) => row.name === 'system' || row.name === name);
    expect(apiSchemaOf(composeSupergraph(graphOf(two))).getType('Project')).toBeDefined();
    const without = subgraphRows.filter((row) => row.name !== name);
    expect(apiSchemaOf(composeSupergraph(graphOf(without))).getType('Project')).toBeDefined();
  },
);

test('system has a stub of every Node owned by others, and others only of Nodes that they use', () => {
  const own = foreignNodes(graphOf(rows).get('system') ?? '');
  expect([...own]).toEqual(expect.arrayContaining(['Backend', 'RelayOperation', 'Mapping']));
  expect([...own]).not.toContain('Project');
  expect([...foreignNodes(whole.get('system') ?? '')].sort()).toEqual(
    [...own, 'LoadBalancer', 'LoadBalancerHost', 'Listener', 'Pool', 'Gslb', 'Container'].sort(),
  );
  expect([...foreignNodes(whole.get('loadbalancer') ?? '')]).toEqual([]);
  expect(whole.get('gslb')).not.toContain('type Backend');
});

test("a domain's generic word is reported before two domains collide in it", () => {
  const faults = lintGraph(whole);
  for (const name of ['Status', 'Role', 'LabelInput', 'OperationState'])
    expect(faults).toContainEqual(expect.stringContaining(`${name} begins with no type of `));
  const twice = joinSdl(
    new Map([
      ['gslb', kosmos],
      ['other', 'enum Status { UP } type Query { other: Status }'],
    ]),
  );
  expect(lintGraph(twice)).toContain('other.graphql: Status is defined by gslb too');
});

test('an entity has one owner', () => {
  const pool = 'type Pool implements Node @key(fields: "id") { id: ID! } type Query { pool: Pool }';
  expect(() =>
    joinSdl(
      new Map([
        ['one', pool],
        ['other', pool],
      ]),
    ),
  ).toThrow('Pool is defined by one and by other');
});
