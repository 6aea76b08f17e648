// The load balancer's rows of the contract that every subgraph meets (../support/contract.ts).
import { idFieldOf } from '../../../platform/graph/described/text.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { decodeUuid, encodeId, newUuid } from '../../../platform/values/ids.ts';
import { insertNode } from '../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { type PartName, partNames } from '../../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../../subgraphs/loadbalancer/spec/parts.ts';
import { cellValue, rowsOf } from '../../support/jest/text-rows.ts';
import type { Contract, FieldFault, Input, World } from '../support/contract.ts';
import { BalancerGraph, identity, makeTree, projectA, projectB, projectId } from './support/balancer-graph.ts';
import { connectHost } from './support/host-records.ts';
import { faultsOfKind } from './support/kinds.ts';

export const owner = identity('MEMBER');
const stranger = identity('OPERATOR', projectB);
const cmpObject = { type: 'tenant', externalId: 'shared-name' };
const lower = (name: string) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`;

async function open() {
  const graph = await BalancerGraph.open();
  const ids = await makeTree(graph, 'secret', owner);
  const theirs = await makeTree(graph, 'theirs', stranger);
  const [keys, other] = await Promise.all(
    ['secret', 'other'].map((name) => makeCertificate({ commonName: `${name}.example.com` })),
  );
  const { cert: chain = '', key: privateKey = '' } = keys ?? {};
  const store = (name: string, who: typeof owner) =>
    graph.make('tlsCertificateCreate', { name, chain, privateKey }, 'tlsCertificate { id }', who);
  const certificate = await store('secret', owner);
  const theirCertificate = await store('theirs', stranger);
  await graph.make(
    'loadBalancerCreate',
    { name: 'secret-cmp', tags: ['secret'], cmpObject },
    'loadBalancer { id }',
    owner,
  );
  for (const part of ['poolMember', 'listener', 'poolHealthMonitor', 'l7Policy'] as const)
    await graph.mutate(`${part}Update`, { id: ids[part], name: 'secret' }, owner);
  await graph.mutate('l7RuleUpdate', { id: ids.l7Rule, value: '/secret' }, owner);
  await graph.mutate('poolUpdate', { id: ids.pool, description: 'secret' }, owner);
  await graph.db.execute("UPDATE lb_load_balancer SET operating_status = 'ERROR'");
  const listener = { loadBalancerId: ids.loadBalancer, protocol: 'TCP', port: 5_000 };
  const tcpListener = await graph.make('listenerCreate', listener, 'listener { id }');
  const host = newUuid();
  const range = '198.51.100.0/24';
  await graph.db.transaction((tx) =>
    connectHost(
      tx,
      graph.wake,
      { id: host, name: 'secret-host' },
      {
        ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 0, healthPort: 18_999 },
        ...{ publicRange: range, managementRange: range },
      },
    ),
  );
  const addNode = async (project: string, balancer: string, name: string, address: string | null) => {
    const id = newUuid();
    const owned = { projectId: project, loadBalancerId: decodeUuid('LoadBalancer', balancer) ?? '' };
    const rest = { address, managementAddress: address, hostId: null, connections: 100, threads: 1 };
    await graph.db.transaction((tx) => insertNode(tx, graph.wake, { ...owned, ...rest, id, name }));
    return encodeId('LoadBalancerNode', id);
  };
  return {
    ...{ schema: graph.schema, db: graph.db, feed: graph.feed, owner, admin: identity('ADMIN') },
    run: graph.run.bind(graph),
    stop: () => graph.stop(),
    strangers: { 'a stranger': stranger, 'a user without projects': { ...stranger, projects: {} } },
    names: {
      ...{ ...ids, certificate: certificate.id, chain, privateKey, tcpListener: tcpListener.id },
      ...{
        otherCert: other?.cert,
        otherKey: other?.key,
        reversed: `${chain}${other?.cert}`,
        withKey: `${chain}${privateKey}`,
      },
      ...{ otherWithKey: `${other?.cert}${other?.key}`, damaged: chain.replace(/\n.{8}/, '\nAAAAAAAA') },
      node: await addNode(projectA, ids.loadBalancer, 'secret-node', '192.0.2.77'),
      theirNode: await addNode(projectB, theirs.loadBalancer, 'theirs', null),
      ...{ theirCertificate: theirCertificate.id, theirPool: theirs.pool, theirSubnet: theirs.subnet },
      theirProject: projectId(projectB),
      ...{
        host: encodeId('LoadBalancerHost', host),
        project: projectId(projectA),
        cmp: encodeCmpObject({ namespace: 'default', ...cmpObject }),
      },
      autoscaling: encodeId('AutoscalingPolicy', decodeUuid('LoadBalancer', ids.loadBalancer) ?? ''),
      ...Object.fromEntries(Object.entries(theirs).map(([kind, id]) => [`their${kind}`, id])),
      ...{
        control: 'a\u0007b',
        long: 'x'.repeat(2_000),
        endless: 'x'.repeat(70_000),
        label: 'x'.repeat(64),
        crlf: 'a\r\nX: y',
      },
      noCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      noRevocations: '-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n',
      manyTags: Array.from({ length: 33 }, String),
      manyPools: Array.from({ length: 51 }, () => ({ memberProtocol: 'HTTP' })),
      manyMembers: Array.from({ length: 1_001 }, (_, at) => ({ host: 'a', port: at + 1 })),
    },
    async changes(stream: string) {
      await graph.mutate('loadBalancerUpdate', { id: ids.loadBalancer, description: stream }, owner);
      await addNode(projectA, ids.loadBalancer, `secret-${stream}`, null);
      const { loadBalancer } = await makeTree(graph, `own-${stream.slice(0, 20).toLowerCase()}`, stranger);
      await addNode(projectB, loadBalancer, `own-${stream}`, null);
    },
  };
}
const events = (world: World, stream: string) => (world as Awaited<ReturnType<typeof open>>).changes(stream);

const types = ['LoadBalancer', ...partNames, 'TlsCertificate', 'ProjectSubnet', 'LoadBalancerNode'];
const nameOf = (type: string) =>
  ({ TlsCertificate: 'certificate', ProjectSubnet: 'subnet', LoadBalancerNode: 'node' })[type] ?? lower(type);
const shownOf: Readonly<Record<string, string>> = {
  ...{
    Pool: 'description',
    L7Rule: 'value',
    TlsCertificate: 'chain name',
    ProjectSubnet: 'loadBalancers { nodes { name } }',
  },
};
const shown = (type: string) => `id ${shownOf[type] ?? 'name'}`;

const creations = `
  pool              | {loadBalancerId: $loadBalancer, name: new, memberProtocol: HTTP}
  poolMember        | {poolId: $pool, host: 192.0.2.99, port: 99}
  poolHealthMonitor | {poolId: $rawPool, monitorType: HTTP}
  listener          | {loadBalancerId: $loadBalancer, protocol: HTTP, port: 99}
  l7Policy          | {listenerId: $listener, action: REJECT}
  l7Rule            | {l7PolicyId: $l7Policy, ruleType: PATH, compareType: EQUAL_TO, value: /}`;
const creationOf = Object.fromEntries(rowsOf(creations));

/** A part in a tree, without its parent. */
function partInTree(name: PartName, change: Input = {}): Input {
  const { [`${lower(partKinds[name].parent)}Id`]: _, ...rest } = cellValue(
    (creationOf[lower(name)] ?? '').replaceAll('$', ''),
    {},
  ) as Input;
  return { ...rest, ...change };
}

/** The place of a part in the tree of a new load balancer, and that tree. It refers to pools by name. */
const inTree: Readonly<Record<PartName, readonly [path: string, tree: (part: Input) => Input]>> = {
  Pool: ['pools.0', (part) => ({ pools: [part] })],
  PoolMember: [
    'pools.0.members.1',
    (part) => ({
      pools: [
        {
          ...partInTree('Pool'),
          members: [partInTree('PoolMember'), { ...part, port: part.port === 99 ? 98 : part.port }],
        },
      ],
    }),
  ],
  PoolHealthMonitor: ['pools.0.healthMonitor', (part) => ({ pools: [{ ...partInTree('Pool'), healthMonitor: part }] })],
  Listener: ['listeners.0', (part) => ({ listeners: [part] })],
  L7Policy: [
    'listeners.0.l7Policies.0',
    (part) => ({ listeners: [{ ...partInTree('Listener'), l7Policies: [part] }] }),
  ],
  L7Rule: [
    'listeners.0.l7Policies.0.l7Rules.0',
    (part) => ({
      listeners: [{ ...partInTree('Listener'), l7Policies: [{ ...partInTree('L7Policy'), l7Rules: [part] }] }],
    }),
  ],
};

function fieldFaults(mutation: string): readonly FieldFault[] {
  const faults = (name: PartName, path = '', change = (wrong: Input): Input => wrong) =>
    faultsOfKind(name).map((each) => ({
      ...{ what: `${name}: ${each.what}`, field: Object.keys(each.change)[0] ?? '' },
      ...{ change: change(each.change), fault: `${each.code} ${path}${each.field}` },
    }));
  if (mutation === 'poolMembersSet')
    return faults('PoolMember', 'members.0.', (wrong) => ({ members: [partInTree('PoolMember', wrong)] }));
  if (mutation === 'loadBalancerCreate')
    return partNames.flatMap((name) => {
      const [path, tree] = inTree[name];
      const found = faults(name, `${path}.`, (wrong) => tree(partInTree(name, wrong)));
      return found.filter(({ field }) => !['defaultPoolId', 'redirectPoolId'].includes(field));
    });
  for (const name of partNames) {
    if (mutation === `${lower(name)}Create`) return faults(name);
    const kept = Object.entries(partKinds[name].fields).filter(([, { fixed }]) => fixed !== true);
    const changeable = kept.flatMap(([field, described]) => [
      field,
      described.refersTo === undefined ? field : idFieldOf(field, described),
    ]);
    if (mutation === `${lower(name)}Update`) return faults(name).filter(({ field }) => changeable.includes(field));
  }
  return [];
}

const names = (mutation: string) => `
    ${mutation} | a name with capitals     | {name: Web}      | INVALID_INPUT name
    ${mutation} | a name with a dot        | {name: a.b}      | INVALID_INPUT name
    ${mutation} | a name with a control    | {name: $control} | INVALID_INPUT name
    ${mutation} | an empty name            | {name: ''}       | INVALID_INPUT name
    ${mutation} | a name that is no label  | {name: $label}   | TOO_LONG name`;
const chains = (mutation: string) => `
    ${mutation} | no PEM                     | {chain: x}             | INVALID_INPUT chain
    ${mutation} | an endless chain           | {chain: $endless}      | TOO_LONG chain
    ${mutation} | a damaged certificate      | {chain: $damaged}      | INVALID_INPUT chain
    ${mutation} | a chain in the wrong order | {chain: $reversed}     | INVALID_INPUT chain
    ${mutation} | a key in the chain         | {chain: $withKey}      | INVALID_INPUT chain
    ${mutation} | no key                     | {privateKey: x}        | INVALID_INPUT privateKey
    ${mutation} | an endless key             | {privateKey: $endless} | TOO_LONG privateKey
    ${mutation} | the key of another certificate | {privateKey: $otherKey} | INVALID_INPUT privateKey`;
const balancers = (mutation: string) => `
    ${mutation} | a long description         | {description: $long}    | TOO_LONG description
    ${mutation} | a description with a control | {description: $control} | INVALID_INPUT description
    ${mutation} | a tag with a control       | {tags: [a, $control]}   | INVALID_INPUT tags.1
    ${mutation} | too many tags              | {tags: $manyTags}       | TOO_LONG tags
    ${mutation} | no node                    | {minNodes: 0}           | INVALID_INPUT minNodes
    ${mutation} | too many nodes             | {maxNodes: 65}          | INVALID_INPUT maxNodes
    ${mutation} | fewer than the least       | {minNodes: 3, maxNodes: 2} | INVALID_INPUT maxNodes
    ${mutation} | too few connections        | {nodeSize: {connections: 99}} | INVALID_INPUT nodeSize.connections
    ${mutation} | more connections than a process may have files for | {nodeSize: {connections: 500001}} | INVALID_INPUT nodeSize.connections
    ${mutation} | too many threads           | {nodeSize: {threads: 65}} | INVALID_INPUT nodeSize.threads`;
const theirIds = (rows: Readonly<Record<string, string>>) =>
  Object.entries(rows)
    .map(
      ([mutation, input]) =>
        `\n    ${mutation} | another project's id | ${input} | NOT_FOUND ${input.slice(1, input.indexOf(':'))}`,
    )
    .join('');

export const loadBalancer: Contract = {
  ...{ subgraph: 'loadbalancer', open, fieldFaults, neverTold: /must match/ },
  strangers: ['a stranger', 'a user without projects'],
  administered: /^loadBalancer(QuotaSet|Host)/,
  nobody: { changes: 'NOT_FOUND|PROJECT_REQUIRED|UNAUTHENTICATED|FORBIDDEN' },
  queries: `
    ${types.map((type) => `${lower(type)} | ${lower(type)}(id: <${nameOf(type)}>) { ${shown(type)} }`).join('\n')}
    loadBalancers       | loadBalancers { nodes { id name } }
    loadBalancers       | loadBalancers(projectId: <project>) { nodes { id name } }
    loadBalancers       | loadBalancers(names: ["secret"]) { nodes { id name } }
    loadBalancers       | loadBalancers(tag: "secret") { nodes { id name } }
    # By a node's address; members are found in the same rows.
    loadBalancersAt     | node: loadBalancersAt(address: "192.0.2.77") { id name } all: loadBalancersAt(address: "192.", limit: 50) { id name }
    projectSubnets      | all: projectSubnets { nodes { id loadBalancers { nodes { name } } } } theirs: projectSubnets(projectId: <project>) { nodes { id loadBalancers { nodes { name } } } }
    tlsCertificates     | all: tlsCertificates { nodes { id name } } theirs: tlsCertificates(projectId: <project>) { nodes { id name } }
    loadBalancerPreview | loadBalancerPreview(id: <loadBalancer>, change: {l7RuleUpdate: {id: <l7Rule>, value: "/secret-2"}}) { configuration }
    loadBalancerQuotas  | loadBalancerQuotas(projectId: <project>) { kind used } | "used":[1-9]
    loadBalancerHost    | loadBalancerHost(id: <host>) { name } | -
    loadBalancerHosts   | loadBalancerHosts { nodes { name } } | secret | FORBIDDEN`,
  entities: `
    ${types.map((type) => `${type} | <${nameOf(type)}> | ${shown(type)}`).join('\n')}
    Project           | <project>     | loadBalancers { nodes { name } }
    CmpObject         | <cmp>         | loadBalancers { nodes { name } }
    Attention         | "now"         | loadBalancing { totalCount needs { subjectName subjectId reason } }
    LoadBalancerHost  | <host>        | name | -
    AutoscalingPolicy | <autoscaling> | id | -`,
  streams: {
    loadBalancerChanges: { selection: '{ cursor loadBalancer { id name } }', events },
    loadBalancerNodeChanges: { selection: '{ cursor loadBalancerNode { id name } }', events },
  },
  mutations: `
    loadBalancerCreate         | {name: new}
    loadBalancerUpdate         | {id: $loadBalancer}
    loadBalancerDelete         | {id: $loadBalancer}
    loadBalancerQuotaSet       | {projectId: $project, kind: POOLS, limit: 5}
    loadBalancerHostCordonSet  | {id: $host}
    loadBalancerHostCordonLift | {id: $host}
    loadBalancerHostUpdate     | {id: $host, maxNodes: 9}
    loadBalancerHostDelete     | {id: $host}
    loadBalancerNodesReplace   | {id: $loadBalancer}
    loadBalancerNodeReplace    | {id: $node}
    projectSubnetCreate        | {name: new, cidr: 10.1.0.0/24}
    projectSubnetUpdate        | {id: $subnet, name: other}
    projectSubnetDelete        | {id: $subnet}
    tlsCertificateCreate       | {name: new, chain: $chain, privateKey: $privateKey}
    tlsCertificateUpdate       | {id: $certificate, chain: $chain, privateKey: $privateKey}
    tlsCertificateDelete       | {id: $certificate}
    autoscalingPolicySet       | {loadBalancerId: $loadBalancer, policy: {}}
    autoscalingPolicyDelete    | {loadBalancerId: $loadBalancer}
    poolMembersSet             | {id: $pool, members: []}
    poolMemberDrain            | {id: $poolMember}
    poolMemberDrainCancel      | {id: $poolMember}
    ${partNames
      .map(lower)
      .map(
        (part) => `${part}Create | ${creationOf[part]}\n${part}Update | {id: $${part}}\n${part}Delete | {id: $${part}}`,
      )
      .join('\n')}`,
  freeIds: ['loadBalancerQuotaSet projectId'],
  refused: `
    loadBalancerQuotaSet | no project id      | {projectId: $control} | NOT_FOUND projectId
    loadBalancerQuotaSet | a negative limit   | {limit: -1} | INVALID_INPUT limit
    loadBalancerQuotaSet | a limit without end | {limit: 100001} | INVALID_INPUT limit
    ${names('loadBalancerCreate')}${balancers('loadBalancerCreate')}${balancers('loadBalancerUpdate')}
    ${names('projectSubnetCreate')}${names('projectSubnetUpdate')}
    ${names('tlsCertificateCreate')}${chains('tlsCertificateCreate')}${chains('tlsCertificateUpdate')}
    ${theirIds({
      loadBalancerUpdate: '{id: $theirloadBalancer}',
      loadBalancerDelete: '{id: $theirloadBalancer}',
      loadBalancerNodesReplace: '{id: $theirloadBalancer}',
      loadBalancerNodeReplace: '{id: $theirNode}',
      projectSubnetUpdate: '{id: $theirSubnet}',
      projectSubnetDelete: '{id: $theirSubnet}',
      tlsCertificateUpdate: '{id: $theirCertificate}',
      tlsCertificateDelete: '{id: $theirCertificate}',
      poolMembersSet: '{id: $theirPool}',
      autoscalingPolicySet: '{loadBalancerId: $theirloadBalancer}',
      autoscalingPolicyDelete: '{loadBalancerId: $theirloadBalancer}',
      poolMemberDrain: '{id: $theirpoolMember}',
      poolMemberDrainCancel: '{id: $theirpoolMember}',
      ...Object.fromEntries(
        partNames.flatMap((name) => [
          [`${lower(name)}Create`, `{${lower(partKinds[name].parent)}Id: $their${lower(partKinds[name].parent)}}`],
          [`${lower(name)}Update`, `{id: $their${lower(name)}}`],
          [`${lower(name)}Delete`, `{id: $their${lower(name)}}`],
        ]),
      ),
    })}
    loadBalancerCreate | a name that is taken | {name: secret} | ALREADY_EXISTS name
    loadBalancerCreate | ACTIVE_STANDBY with three | {topology: ACTIVE_STANDBY, minNodes: 3} | INVALID_INPUT maxNodes
    loadBalancerCreate | another project's subnet | {subnetId: $theirSubnet} | NOT_FOUND subnetId
    loadBalancerCreate | no subnet id | {subnetId: $control} | NOT_FOUND subnetId
    loadBalancerCreate | too many pools | {pools: $manyPools} | TOO_LONG pools
    loadBalancerCreate | a port twice | {listeners: [{protocol: HTTP, port: 99}, {protocol: HTTP, port: 99}]} | INVALID_INPUT listeners.1.port
    loadBalancerCreate | a pool name twice | {pools: [{name: new, memberProtocol: HTTP}, {name: new, memberProtocol: HTTP}]} | INVALID_INPUT pools.1.name
    loadBalancerCreate | a member twice | {pools: [{memberProtocol: HTTP, members: [{host: 192.0.2.99, port: 99}, {host: 192.0.2.99, port: 99}]}]} | INVALID_INPUT pools.0.members.1.host
    loadBalancerCreate | a pool that is not there | {listeners: [{protocol: HTTP, port: 99, defaultPool: none}]} | INVALID_INPUT listeners.0.defaultPool
    loadBalancerCreate | a pool that does not fit | {pools: [{name: p, memberProtocol: TCP}], listeners: [{protocol: HTTP, port: 99, defaultPool: p}]} | INVALID_INPUT listeners.0.defaultPool
    loadBalancerCreate | another project's certificate | {listeners: [{protocol: TERMINATED_HTTPS, port: 443, certificateIds: [$theirCertificate]}]} | NOT_FOUND listeners.0.certificateIds.0
    loadBalancerCreate | a member where egress forbids | {pools: [{memberProtocol: HTTP, members: [{host: 169.254.169.254, port: 80}]}]} | EGRESS_DENIED pools.0.members.0.host
    loadBalancerCreate | a policy of TCP | {listeners: [{protocol: TCP, port: 1, l7Policies: [{action: REJECT}]}]} | INVALID_INPUT listeners.0.l7Policies.0.action
    projectSubnetCreate | a name that is taken | {name: default} | ALREADY_EXISTS name
    projectSubnetCreate | no block             | {cidr: 1.2.3} | INVALID_INPUT cidr
    projectSubnetCreate | host bits            | {cidr: 10.0.0.1/24} | INVALID_INPUT cidr
    projectSubnetCreate | too large            | {cidr: 10.0.0.0/7} | INVALID_INPUT cidr
    projectSubnetCreate | too small            | {cidr: 10.0.0.0/29} | INVALID_INPUT cidr
    projectSubnetCreate | an address           | {cidr: 10.0.0.1} | INVALID_INPUT cidr
    projectSubnetCreate | loopback             | {cidr: 127.1.0.0/16} | INVALID_INPUT cidr
    projectSubnetCreate | link-local           | {cidr: 169.254.0.0/16} | INVALID_INPUT cidr
    projectSubnetCreate | the hosts' network   | {cidr: 198.51.100.0/25} | INVALID_INPUT cidr
    projectSubnetDelete | one in use           | {} | IN_USE id
    tlsCertificateCreate | a name that is taken | {name: secret} | ALREADY_EXISTS name
    poolMembersSet | a member twice | {members: [{host: 192.0.2.99, port: 99}, {host: 192.0.2.99, port: 99}]} | INVALID_INPUT members.1
    poolMembersSet | too many       | {members: $manyMembers} | TOO_LONG members
    poolMembersSet | a network of the hosts | {members: [{host: 198.51.100.7, port: 80}]} | EGRESS_DENIED members.0.host
    poolMemberDrain | a deadline before now   | {deadlineMs: -1} | INVALID_INPUT deadlineMs
    poolMemberDrain | a deadline without end  | {deadlineMs: 86400001} | INVALID_INPUT deadlineMs
    loadBalancerHostUpdate | no room                 | {maxNodes: 0} | INVALID_INPUT maxNodes
    loadBalancerHostUpdate | room without end        | {maxNodes: 1001} | INVALID_INPUT maxNodes
    loadBalancerHostUpdate | room that is taken away | {maxNodes: null} | INVALID_INPUT maxNodes
    loadBalancerHostUpdate | the whole Internet      | {publicRange: 0.0.0.0/0} | INVALID_INPUT publicRange
    loadBalancerHostUpdate | half of it              | {managementRange: 128.0.0.0/1} | INVALID_INPUT managementRange
    loadBalancerHostUpdate | that of IPv6            | {publicRange: '::/0'} | INVALID_INPUT publicRange
    loadBalancerHostUpdate | a single address        | {publicRange: 192.0.2.1} | INVALID_INPUT publicRange
    loadBalancerHostUpdate | a block with host bits  | {publicRange: 192.0.2.1/24} | INVALID_INPUT publicRange
    loadBalancerHostUpdate | no block at all         | {managementRange: $control} | INVALID_INPUT managementRange
    loadBalancerHostUpdate | a bad site              | {site: $control} | INVALID_INPUT site
    loadBalancerHostUpdate | an endless site         | {site: $label} | TOO_LONG site
    loadBalancerHostDelete | a host that is connected | {} | WRONG_STATE id
    poolCreate | a name that is taken | {name: raw} | ALREADY_EXISTS name
    poolCreate | a cookie in TCP | {memberProtocol: TCP, persistence: {type: HTTP_COOKIE}} | INVALID_INPUT persistence.type
    poolCreate | an application cookie without name | {persistence: {type: APP_COOKIE}} | INVALID_INPUT persistence.cookieName
    poolCreate | a cookie name with a semicolon | {persistence: {type: APP_COOKIE, cookieName: a;b}} | INVALID_INPUT persistence.cookieName
    poolCreate | ciphers without TLS | {tlsCiphers: ECDHE-RSA-AES128-GCM-SHA256} | INVALID_INPUT tlsCiphers
    poolCreate | a weak cipher | {tls: true, tlsCiphers: DES-CBC3-SHA} | INVALID_INPUT tlsCiphers
    poolCreate | a cipher string | {tls: true, tlsCiphers: 'ALL:!aNULL'} | INVALID_INPUT tlsCiphers
    poolCreate | a bad server name | {tls: true, tlsServerName: no host} | INVALID_INPUT tlsServerName
    poolCreate | authorities that are none | {tls: true, authorities: $noCertificate} | INVALID_INPUT authorities
    poolCreate | a private key among authorities | {tls: true, authorities: $otherWithKey} | INVALID_INPUT authorities
    poolCreate | another project's certificate | {tls: true, clientCertificateId: $theirCertificate} | NOT_FOUND clientCertificateId
    poolMemberCreate | a bad host | {host: no host} | INVALID_INPUT host
    poolMemberCreate | an address that is none | {host: 300.1.1.1} | INVALID_INPUT host
    poolMemberCreate | an unusual notation of an address | {host: '0x7f.1'} | INVALID_INPUT host
    poolMemberCreate | no address in particular | {host: 0.0.0.0} | INVALID_INPUT host
    poolMemberCreate | no address in particular as what is checked | {monitorHost: '::'} | INVALID_INPUT monitorHost
    poolMemberCreate | a cloud metadata service | {host: 169.254.169.254} | EGRESS_DENIED host
    poolMemberCreate | the same in IPv6 | {host: '::ffff:169.254.169.254'} | EGRESS_DENIED host
    poolMemberCreate | a network of the hosts | {host: 198.51.100.7} | EGRESS_DENIED host
    poolMemberCreate | a host as what is checked | {monitorHost: 198.51.100.7} | EGRESS_DENIED monitorHost
    poolMemberCreate | one that is there | {host: 192.0.2.10, port: 80} | ALREADY_EXISTS host
    poolHealthMonitorCreate | a second one | {poolId: $pool} | LIMIT_REACHED
    poolHealthMonitorCreate | a timeout longer than the interval | {intervalMs: 500, timeoutMs: 501} | INVALID_INPUT timeoutMs
    poolHealthMonitorCreate | a path for TCP | {monitorType: TCP, path: /} | INVALID_INPUT path
    poolHealthMonitorCreate | a path without slash | {path: health} | INVALID_INPUT path
    poolHealthMonitorCreate | a path with a space | {path: /a b} | INVALID_INPUT path
    poolHealthMonitorCreate | a code that is none | {expectedCodes: '700'} | INVALID_INPUT expectedCodes
    poolHealthMonitorCreate | a range backwards | {expectedCodes: '200,204-200'} | INVALID_INPUT expectedCodes
    poolHealthMonitorCreate | a bad Host header | {hostHeader: $crlf} | INVALID_INPUT hostHeader
    listenerCreate | a port that is taken | {port: 80} | ALREADY_EXISTS port
    listenerCreate | the port of health checks | {port: 18999} | IN_USE port
    listenerCreate | no certificate | {protocol: TERMINATED_HTTPS} | INVALID_INPUT certificateIds
    listenerCreate | a certificate without TLS | {certificateIds: [$certificate]} | INVALID_INPUT certificateIds
    listenerCreate | another project's certificate | {protocol: TERMINATED_HTTPS, certificateIds: [$certificate, $theirCertificate]} | NOT_FOUND certificateIds.1
    listenerCreate | another project's pool | {defaultPoolId: $theirPool} | NOT_FOUND defaultPoolId
    listenerCreate | a pool of TCP | {defaultPoolId: $rawPool} | INVALID_INPUT defaultPoolId
    listenerCreate | headers in TCP | {protocol: TCP, insertHeaders: [X_FORWARDED_FOR]} | INVALID_INPUT insertHeaders
    listenerCreate | TLS headers without TLS | {insertHeaders: [X_SSL_CLIENT_CN]} | INVALID_INPUT insertHeaders
    listenerCreate | clients without authorities | {protocol: TERMINATED_HTTPS, certificateIds: [$certificate], clientAuthentication: MANDATORY} | INVALID_INPUT clientAuthorities
    listenerCreate | client certificates without TLS | {clientAuthentication: OPTIONAL} | INVALID_INPUT clientAuthentication …
    listenerCreate | HSTS without an age | {hstsPreload: true} | INVALID_INPUT hstsPreload …
    listenerCreate | a block with host bits | {allowedCidrs: [10.0.0.0/8, 10.0.0.1/8]} | INVALID_INPUT allowedCidrs.1
    listenerCreate | a revocation list that is none | {protocol: TERMINATED_HTTPS, certificateIds: [$certificate], clientAuthentication: OPTIONAL, clientAuthorities: $otherCert, clientRevocations: $noRevocations} | INVALID_INPUT clientRevocations
    l7PolicyCreate | a listener of TCP | {listenerId: $tcpListener} | INVALID_INPUT action
    l7PolicyCreate | no pool | {action: REDIRECT_TO_POOL} | INVALID_INPUT redirectPoolId
    l7PolicyCreate | another project's pool | {action: REDIRECT_TO_POOL, redirectPoolId: $theirPool} | NOT_FOUND redirectPoolId
    l7PolicyCreate | a pool of TCP | {action: REDIRECT_TO_POOL, redirectPoolId: $rawPool} | INVALID_INPUT redirectPoolId
    l7PolicyCreate | no URL | {action: REDIRECT_TO_URL} | INVALID_INPUT redirectUrl
    l7PolicyCreate | another scheme | {action: REDIRECT_TO_URL, redirectUrl: 'javascript:alert(1)'} | INVALID_INPUT redirectUrl
    l7PolicyCreate | a URL with a user | {action: REDIRECT_TO_URL, redirectUrl: 'https://a@b/'} | INVALID_INPUT redirectUrl
    l7PolicyCreate | a URL without host | {action: REDIRECT_TO_URL, redirectUrl: 'https://-/'} | INVALID_INPUT redirectUrl
    l7PolicyCreate | a prefix with a bad port | {action: REDIRECT_PREFIX, redirectPrefix: 'https://a:99999'} | INVALID_INPUT redirectPrefix
    l7PolicyCreate | a code that is no redirect | {action: REDIRECT_TO_URL, redirectUrl: 'https://a/', redirectCode: 304} | INVALID_INPUT redirectCode
    l7RuleCreate | no key | {ruleType: HEADER} | INVALID_INPUT key
    l7RuleCreate | a key for the path | {key: x} | INVALID_INPUT key
    l7RuleCreate | a header that is no token | {ruleType: HEADER, key: a b} | INVALID_INPUT key
    l7RuleCreate | a cookie that is no token | {ruleType: COOKIE, key: a)} | INVALID_INPUT key
    l7RuleCreate | a cookie with a comma | {ruleType: COOKIE, key: a, value: 'b,c'} | INVALID_INPUT value
    l7RuleCreate | a space at the end | {value: '/a '} | INVALID_INPUT value
    l7RuleCreate | another alphabet | {value: /é} | INVALID_INPUT value
    l7RuleCreate | a comparison that has no meaning | {ruleType: FILE_TYPE, compareType: CONTAINS} | INVALID_INPUT compareType
    l7RuleCreate | an expression that does not compile | {compareType: REGEX, value: (a} | INVALID_INPUT value
    l7RuleCreate | an expression of exponential time | {compareType: REGEX, value: ^(a+)+$} | INVALID_INPUT value
    l7RuleCreate | a back reference | {compareType: REGEX, value: '(a)\\1'} | INVALID_INPUT value
    l7RuleCreate | too many repetitions | {compareType: REGEX, value: '(a{50}){50}'} | INVALID_INPUT value`,
  keyed: `
    poolCreate | {} | {name: other}`,
};
