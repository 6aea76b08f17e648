// `tidegate clusters list` and `show NAME`.

import type { Presence } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import { readPages } from '../../pages.ts';
import { listVerb, showVerb } from '../../row-verbs.ts';

const listDocument = graphql(`
  query ClustersList($first: Int, $after: String) {
    objectClusters(first: $first, after: $after) {
      nodes { id number name zone weight site clusterState presence s3Urls }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const showDocument = graphql(`
  query ClustersShow($id: ID!) {
    objectCluster(id: $id) {
      id number name zone weight site clusterState presence peerUrls controllerUrls s3Urls createdAt version
      controllers {
        name presence heardAt version behindDocuments clockAheadMs
        rings { number epoch }
        links { number connected behindPartitions lagMs cluster { name } }
        services { role name ready drained message version }
        disk { usedBytes totalBytes }
        measured { measuredAt bigWriteBytesPerSecond bigReadBytesPerSecond smallWriteBytesPerSecond smallReadBytesPerSecond }
      }
    }
  }
`);

const stateOf = ({ clusterState, presence }: { readonly clusterState: string; readonly presence: Presence }) =>
  presence === 'PRESENT' ? clusterState : `${clusterState} not heard`;

export const list = listVerb({
  summary: 'List clusters of object storage.',
  options: {},
  read: ({ client }) => readPages(client, listDocument, {}, ({ objectClusters }) => objectClusters),
  columns: {
    CLUSTER: 'name',
    NUMBER: 'number',
    STATE: (cluster) => stateOf(cluster),
    ZONE: 'zone',
    WEIGHT: 'weight',
    S3: ({ s3Urls }) => s3Urls.join(' ') || '-',
    SITE: 'site',
  },
});

export const show = showVerb({
  summary: 'Show a cluster: its addresses, and the reports of its controllers.',
  takes: ['NAME'],
  options: {},
  async read({ client, names }) {
    const id = await idNamed(client, 'clusters', names[0]);
    const { objectCluster: cluster } = await client.query(showDocument, { id });
    if (cluster === null) throw new CommandFailure(`there is no cluster '${names[0]}'`);
    return cluster;
  },
  async print(printer, cluster) {
    const { name, number, zone, weight, site, peerUrls, controllerUrls, s3Urls, controllers } = cluster;
    await printer.pairs([
      ...([
        ['Cluster', `${name} (number ${number})`],
        ['State', stateOf(cluster)],
        ['Zone', zone],
        ['Weight', weight],
        ['Site', site],
        ['Servers at', peerUrls.join(' ')],
        ['Controllers at', controllerUrls.join(' ')],
        ['S3 at', s3Urls.join(' ')],
        ['Created', cluster.createdAt],
        ['Id', cluster.id],
      ] as const),
    ]);
    for (const controller of controllers) {
      const { rings, links, services, disk, measured, clockAheadMs } = controller;
      await printer.line('');
      await printer.pairs([
        [
          'Controller',
          controller.presence === 'PRESENT'
            ? controller.name
            : `${controller.name} (not heard since ${controller.heardAt})`,
        ],
        ['Version', controller.version],
        ['Lacks', `${controller.behindDocuments} documents`],
        ['Clock', clockAheadMs === null ? null : `${clockAheadMs} ms ahead`],
        ['Rings', rings.map((ring) => `${ring.number}:${ring.epoch}`).join(' ')],
        [
          'Measured',
          measured === null
            ? null
            : `10 MB ${rates(measured.bigWriteBytesPerSecond, measured.bigReadBytesPerSecond)}, 128 KB ${rates(measured.smallWriteBytesPerSecond, measured.smallReadBytesPerSecond)}`,
        ],
        ['Disk', disk === null ? null : `${gigabytes(disk.usedBytes)} of ${gigabytes(disk.totalBytes)} GB`],
      ]);
      if (links.length > 0) await printer.table(['LINK TO', 'STATE', 'PARTITIONS BEHIND', 'LAG'], links.map(linkRow));
      const serviceRows = services.map((each) => [...[each.role, each.name, stateOfService(each), each.version]]);
      if (services.length > 0) await printer.table(['SERVICE', 'NAME', 'STATE', 'VERSION'], serviceRows);
    }
  },
});

interface ShownLink {
  readonly cluster: { readonly name: string } | null;
  readonly number: number;
  readonly connected: boolean;
  readonly behindPartitions: number | null;
  readonly lagMs: number | null;
}

/** The other cluster, the link's state, and this cluster's lag behind it. */
export function linkRow({ cluster, number, connected, behindPartitions, lagMs }: ShownLink): readonly string[] {
  return [
    ...[cluster?.name ?? String(number), connected ? 'connected' : 'cut off'],
    ...[behindPartitions === null ? '-' : String(behindPartitions), lagMs === null ? '-' : `${lagMs} ms`],
  ];
}

function stateOfService({
  ready,
  drained,
  message,
}: {
  readonly ready: boolean;
  readonly drained: boolean;
  readonly message: string | null;
}): string {
  if (drained) return `drained${message === null ? '' : `: ${message}`}`;
  return ready ? 'ready' : `not ready: ${message ?? ''}`;
}

/** Rates in MB/s. */
function rates(write: string, read: string): string {
  return `written at ${(Number(write) / 1e6).toFixed(1)}, read at ${(Number(read) / 1e6).toFixed(1)} MB/s`;
}

function gigabytes(bytes: string): string {
  return (Number(bytes) / 1e9).toFixed(1);
}
