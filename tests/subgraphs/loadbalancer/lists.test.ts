// Lists of load balancers and related objects, as members of one project see them: orders, cursors, name filters, and
// counts.
import { beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { orders } from '../support/orders.ts';
import { BalancerGraph, identity, makeTree, projectA, projectB, projectId } from './support/balancer-graph.ts';

const member = identity('MEMBER', projectA);
const other = identity('MEMBER', projectB);
const admin = identity('ADMIN');
const cmp = { namespace: 'default', type: 'tenant', externalId: '42' };

const graph = forFile(() => BalancerGraph.open());
let poolId: string;

beforeAll(async () => {
  const keys = await makeCertificate({ commonName: 'a.example.com' });
  const certificate = { chain: keys.cert, privateKey: keys.key };
  for (const [who, names] of [
    [member, ['web', 'api', 'mail']],
    [other, ['web', 'theirs']],
  ] as const)
    for (const name of names) {
      await graph.make('loadBalancerCreate', { name, cmpObject: cmp }, 'loadBalancer { id }', who);
      await graph.make('tlsCertificateCreate', { name, ...certificate }, 'tlsCertificate { id }', who);
    }
  // A deleted one is in no list.
  const gone = await graph.make(
    'tlsCertificateCreate',
    { name: 'gone', ...certificate },
    'tlsCertificate { id }',
    member,
  );
  await graph.mutate('tlsCertificateDelete', { id: gone.id }, member);
  const tree = await makeTree(graph, 'tree', other);
  poolId = tree.pool;
  for (const name of ['host-b', 'host-a'])
    await graph.db.execute(
      `INSERT INTO lb_host (id, name, provider, presence, public_range, management_range, max_nodes, health_port)
      VALUES (?, ?, 'NETNS', 'PRESENT', '192.0.2.0/24', '192.0.2.0/24', 1, 1)`,
      [newUuid(), name],
    );
}, 120_000);

interface Listed {
  readonly list: {
    readonly totalCount: number | null;
    readonly nodes: readonly { readonly name: string }[];
    readonly pageInfo: { readonly endCursor: string | null };
  };
}

/** Returns `names (totalCount)`. */
async function listed(field: string, args: string, who = member): Promise<string> {
  const { list } = await graph.ask<Listed>(
    who,
    `{ list: ${field}${args === '' ? '' : `(${args})`} { nodes { name } totalCount pageInfo { endCursor } } }`,
  );
  return `${list.nodes.map(({ name }) => name).join(' ')} (${list.totalCount})`;
}

orders(
  'loadbalancer',
  (who, text) => graph.ask({ member, admin, other }[who] ?? null, text),
  `
    loadBalancers     | member | web api mail
    tlsCertificates   | member | web api mail
    projectSubnets    | member | default
    loadBalancerHosts | admin  | host-b host-a`,
);

test.each(['loadBalancers', 'tlsCertificates'])('%s leaves out other projects and deleted objects', async (field) => {
  expect(await listed(field, 'names: ["web", "mail", "theirs", "gone"]')).toBe('web mail (2)');
  expect(await listed(field, `projectId: "${projectId(projectB)}"`)).toBe(' (0)');
  expect(await listed(field, 'names: ["web"], orderBy: NEWEST', admin)).toBe('web web (2)');
});

test('a cursor continues in its own order; one of another order, too many names and a long text are refused', async () => {
  const { list } = await graph.ask<Listed>(
    member,
    '{ list: loadBalancers(first: 1) { nodes { name } totalCount pageInfo { endCursor } } }',
  );
  const after = JSON.stringify(list.pageInfo.endCursor);
  expect(await listed('loadBalancers', `after: ${after}`)).toBe('api mail (3)');
  const names = JSON.stringify(Array.from({ length: 101 }, (_, at) => `n${at}`));
  for (const [args, message] of [
    [`after: ${after}, orderBy: NEWEST`, /^after: .*another order/],
    [`names: ${names}`, /^names: 101 are too many/],
    [`text: "${'x'.repeat(256)}"`, /^text: .*255/],
  ] as const) {
    const { errors } = await graph.run(member, `{ loadBalancers(${args}) { totalCount } }`);
    expect(errors.map(({ message: told }) => told)).toEqual([expect.stringMatching(message)]);
    expect(errors[0]?.extensions.code).toBe('INVALID_INPUT');
  }
});

test('nested lists count only what the caller may see', async () => {
  const counts = (who: typeof member) =>
    graph.ask(
      who,
      `query ($r: [_Any!]!) { _entities(representations: $r) {
        ... on CmpObject { loadBalancers(first: 1) { totalCount nodes { name } } }
        ... on Project { loadBalancers(first: 1) { totalCount } } } }`,
      {
        r: [
          { __typename: 'CmpObject', id: encodeCmpObject(cmp) },
          { __typename: 'Project', id: projectId(projectA) },
          { __typename: 'Project', id: projectId(projectB) },
        ],
      },
    );
  const total = (totalCount: number) => ({ loadBalancers: { totalCount } });
  expect(await counts(member)).toEqual({
    _entities: [{ loadBalancers: { totalCount: 3, nodes: [{ name: 'web' }] } }, total(3), total(0)],
  });
  expect(await counts(other)).toMatchObject({ _entities: [total(2), total(0), total(3)] });
  expect(await counts(admin)).toMatchObject({ _entities: [total(5), total(3), total(3)] });
  expect(
    await graph.ask(
      other,
      `query ($pool: ID!) { pool(id: $pool) { members(first: 1) { totalCount } }
        projectSubnets { nodes { loadBalancers { totalCount } } }
        loadBalancers { nodes { scalingDecisions { totalCount } } } }`,
      { pool: poolId },
    ),
  ).toMatchObject({
    pool: { members: { totalCount: expect.any(Number) } },
    projectSubnets: { nodes: [{ loadBalancers: { totalCount: 3 } }] },
    loadBalancers: { nodes: [0, 0, 0].map((totalCount) => ({ scalingDecisions: { totalCount } })) },
  });
  expect(await graph.ask(admin, '{ loadBalancerHosts { nodes { placedNodes { totalCount } } } }')).toEqual({
    loadBalancerHosts: { nodes: [0, 0].map((totalCount) => ({ placedNodes: { totalCount } })) },
  });
});

test('a load balancer is found by its name in a project', async () => {
  const found = async (args: string, who = member) => {
    const { loadBalancer } = await graph.ask<{ loadBalancer: { name: string; project: { id: string } } | null }>(
      who,
      `{ loadBalancer(${args}) { name project { id } } }`,
    );
    return loadBalancer;
  };
  expect(await found('name: "web"')).toEqual({ name: 'web', project: { id: projectId(projectA) } });
  expect(await found(`name: "web", projectId: "${projectId(projectB)}"`, admin)).toMatchObject({ name: 'web' });
  expect(await found(`name: "theirs", projectId: "${projectId(projectB)}"`)).toBeNull();
  expect(await found('name: "theirs"')).toBeNull();
  await expect(found('name: "web"', admin)).rejects.toThrow(/projectId/);
  await expect(found('name: "web", id: "x"')).rejects.toThrow(/exactly one of id and name/);
});
