// Object storage's rows of the contract that every subgraph meets (../support/contract.ts).
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { containerId, recordContainer } from '../../../subgraphs/object-storage/control/stores/container-store.ts';
import type { Contract } from '../support/contract.ts';
import { projectId } from '../support/subgraph-graph.ts';
import { ControlGraph, identity, projectA, projectB } from './support/control-graph.ts';

const owner = identity('OPERATOR');
const stranger = identity('OPERATOR', projectB);

async function open() {
  const graph = await ControlGraph.open();
  const cluster = await graph.make('objectClusterCreate', { name: 'secret-cluster' });
  await graph.make('objectClusterCreate', { name: 'second' });
  const option = await graph.make('objectOptionCreate', { name: 'usual' });
  const { entity } = await graph.mutate('objectAccessKeyCreate', { name: 'secret' }, '{ id account { id } }', owner);
  const { id: account } = (entity?.account ?? {}) as { readonly id?: string };
  const cmpObject = { namespace: 'default', type: 'tenant', externalId: '42' };
  const row = {
    id: newUuid(),
    projectId: projectA,
    accountId: newUuid(),
    name: 'secret',
    optionName: 'usual',
    createdAt: new Date(),
  };
  await graph.db.transaction((tx) => recordContainer(tx, row, cmpObject));
  return {
    ...{ schema: graph.schema, db: graph.db, feed: graph.feed, owner, admin: graph.admin, stop: () => graph.stop() },
    run: graph.run.bind(graph),
    strangers: { 'a stranger': stranger },
    names: {
      ...{ cluster, option, account, key: entity?.id, project: projectId(projectA), cmp: encodeCmpObject(cmpObject) },
      ...{
        container: containerId(row.id),
        ring: encodeId('ObjectRing', newUuid()),
        change: encodeId('ObjectRingChange', newUuid()),
      },
      absent: encodeId('ObjectCluster', newUuid()),
      ...{
        nul: 'a\u0000',
        longUrl: `https://${'a'.repeat(300)}.example`,
        nineUrls: Array(9).fill('https://a.example'),
      },
    },
  };
}

const [clusters, keys] = ['id name', 'id name account { id }'];
const wrongUrls = [
  'http://a.example',
  'https://a.example/path',
  'https://u@a.example',
  'https://a.example?',
  'ftp://a',
  'a',
  'https://a.example#',
  '$longUrl',
  '',
];

export const objectStorage: Contract = {
  ...{ subgraph: 'object-storage', open, strangers: ['a stranger'], secret: /:"secret/, openTypes: ['ObjectOption'] },
  administered: /^object(Cluster|Service|Option[A-Z]|Ring)/,
  nobody: { changes: 'NOT_FOUND|PROJECT_REQUIRED|UNAUTHENTICATED|FORBIDDEN' },
  // These need a container at a cluster or a running change. Their tests are containers.test.ts, url-keys.test.ts and
  // ring-changes.test.ts.
  inputElsewhere: /^object(ContainerDelete|.*UrlCreate|RingChange(Pause|Resume|Cancel))$/,
  queries: `
    objectEndpoints   | objectEndpoints { __typename } | -
    objectCluster     | objectCluster(id: <cluster>) { ${clusters} } | -
    objectClusters    | objectClusters { nodes { ${clusters} } } | secret | FORBIDDEN
    objectOption      | objectOption(id: <option>) { name clusters { id } ring { id } } | usual
    objectOptions     | objectOptions { nodes { name clusters { id } } } | usual
    objectRing        | objectRing(id: <ring>) { id } | -
    objectRings       | objectRings { nodes { id } } | "id" | FORBIDDEN
    objectRingChangePreview | objectRingChangePreview(number: 0) { stepCount } | stepCount | FORBIDDEN
    objectRingChange  | objectRingChange(id: <change>) { id } | -
    objectRingChanges | objectRingChanges { nodes { id } } | - | FORBIDDEN
    objectAccount     | objectAccount(id: <account>) { id } | "id"
    objectAccessKey   | objectAccessKey(id: <key>) { ${keys} }
    objectAccessKeys  | all: objectAccessKeys { nodes { ${keys} } } theirs: objectAccessKeys(projectId: <project>) { nodes { ${keys} } }
    # A cluster is asked for them: none is connected.
    objectContainer   | objectContainer(id: <container>) { id name } | -
    objectContainers  | objectContainers(projectId: <project>) { nodes { id name } } | -`,
  entities: `
    ObjectCluster    | <cluster>   | ${clusters} | -
    ObjectRing       | <ring>      | id | -
    ObjectOption     | <option>    | name clusters { id } | usual
    ObjectRingChange | <change>    | id | -
    ObjectAccount    | <account>   | id | "id"
    ObjectAccessKey  | <key>       | ${keys}
    ObjectContainer  | <container> | id name | -
    Project          | <project>   | objectAccount { id } | "id"
    CmpObject        | <cmp>       | objectContainers { nodes { name } }
    Attention        | "now"       | objectStorage { totalCount needs { subjectName subjectId reason } } | -`,
  streams: { objectStatusChanges: { selection: '{ cursor }' } },
  mutations: `
    objectClusterCreate      | {name: new}
    objectClusterUpdate      | {id: $cluster, weight: 7}
    objectClusterDelete      | {id: $cluster}
    objectServiceDrain       | {clusterId: $cluster, role: objectserver, name: s1}
    objectServiceUndrain     | {clusterId: $cluster, role: objectserver, name: s1}
    objectServiceRemove      | {clusterId: $cluster, role: objectserver, name: s1}
    objectOptionCreate       | {name: new}
    objectOptionUpdate       | {id: $option, name: other}
    objectOptionDelete       | {id: $option}
    objectOptionDeleteCancel | {id: $option}
    objectContainerCreate    | {name: new}
    objectContainerDelete    | {id: $container}
    objectUploadUrlCreate    | {containerId: $container, name: o}
    objectDeleteUrlCreate    | {containerId: $container, name: o}
    objectDownloadUrlCreate  | {containerId: $container, name: o}
    objectRingChangeStart    | {number: 9}
    objectRingChangePause    | {id: $change}
    objectRingChangeResume   | {id: $change}
    objectRingChangeCancel   | {id: $change}
    objectAccessKeyCreate    | {name: new}
    objectAccessKeyRevoke    | {id: $key}`,
  refused: `
    ${wrongUrls.map((url) => `objectClusterCreate | the address ${url} | {peerUrls: ['${url}']} | INVALID_INPUT peerUrls.0`).join('\n')}
    objectClusterCreate   | too many addresses    | {s3Urls: $nineUrls} | TOO_LONG s3Urls, INVALID_INPUT s3Urls
    objectClusterCreate   | everything bad        | {name: North, zone: '-', weight: 0, site: $nul} | INVALID_INPUT name, INVALID_INPUT zone, INVALID_INPUT weight, INVALID_INPUT site
    objectClusterCreate   | a name that is taken  | {name: second} | ALREADY_EXISTS name
    objectOptionUpdate    | the last default      | {default: false} | WRONG_STATE default
    objectOptionUpdate    | too many replicas     | {clusterIds: [$absent], replicas: 8} | INVALID_INPUT replicas
    objectOptionUpdate    | a cluster that is not there | {clusterIds: [$absent]} | NOT_FOUND clusterIds
    objectOptionUpdate    | an id of another type in a list | {clusterIds: [$option]} | NOT_FOUND clusterIds.0
    objectAccessKeyCreate | an empty name         | {name: ''} | INVALID_INPUT name`,
};
