// `tidegate clusters list` and `show NAME`.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { findNamed } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';

const listDocument = graphql(`
  query ClustersList($first: Int, $after: String) {
    objectClusters(first: $first, after: $after) {
      nodes { id number name zone weight site state isPresent s3Urls }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const showDocument = graphql(`
  query ClustersShow($id: ID!) {
    objectCluster(id: $id) {
      id number name zone weight site state isPresent peerUrls controllerUrls s3Urls createdAt version
      controllers {
        name isPresent heardAt version behindDocuments clockAheadMs
        rings { number epoch }
        links { number isConnected behindPartitions lagMs cluster { name } }
        services { role name isReady isDrained message version }
        disk { usedBytes totalBytes }
        measured { measuredAt bigWriteRate bigReadRate smallWriteRate smallReadRate }
      }
    }
  }
`);

export function allClusters(client: GraphClient) {
  return readPages(client, listDocument, {}, ({ objectClusters }) => objectClusters);
}

/** By its name or id. */
export function clusterId(client: GraphClient, nameOrId: string): Promise<string> {
  return findNamed(allClusters(client), 'cluster', nameOrId);
}

const stateOf = ({ state, isPresent }: { readonly state: string; readonly isPresent: boolean }) =>
  isPresent ? state : `${state} not heard`;

export const list = remoteVerb({
  summary: 'List clusters of object storage.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const found = await readAll(allClusters(client));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [
      ...[each.name, String(each.number), stateOf(each), each.zone, String(each.weight)],
      ...[each.s3Urls.join(' ') || '-', each.site || '-'],
    ]);
    return printer.table(['CLUSTER', 'NUMBER', 'STATE', 'ZONE', 'WEIGHT', 'S3', 'SITE'], rows);
  },
});

export const show = remoteVerb({
  summary: 'Show a cluster: its addresses, and what its controllers see.',
  takes: ['NAME'],
  options: {},
  async run({ client, names, options, printer }) {
    const id = await clusterId(client, names[0]);
    const { objectCluster: cluster } = await client.query(showDocument, { id });
    if (cluster === null) throw new CommandFailure(`there is no cluster '${names[0]}'`);
    if (options.json) return printer.json(cluster);
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
          controller.isPresent ? controller.name : `${controller.name} (not heard since ${controller.heardAt})`,
        ],
        ['Version', controller.version],
        ['Lacks', `${controller.behindDocuments} documents`],
        ['Clock', clockAheadMs === null ? null : `${Math.round(clockAheadMs)} ms ahead`],
        ['Rings', rings.map((ring) => `${ring.number}:${ring.epoch}`).join(' ')],
        [
          'Measured',
          measured === null
            ? null
            : `10 MB ${rates(measured.bigWriteRate, measured.bigReadRate)}, 128 KB ${rates(measured.smallWriteRate, measured.smallReadRate)}`,
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
  readonly isConnected: boolean;
  readonly behindPartitions: number | null;
  readonly lagMs: number | null;
}

/** The other cluster, the link's state, and how far this cluster is behind it. */
export function linkRow({ cluster, number, isConnected, behindPartitions, lagMs }: ShownLink): readonly string[] {
  return [
    ...[cluster?.name ?? String(number), isConnected ? 'connected' : 'cut off'],
    ...[behindPartitions === null ? '-' : String(behindPartitions), lagMs === null ? '-' : `${lagMs} ms`],
  ];
}

function stateOfService({
  isReady,
  isDrained,
  message,
}: {
  readonly isReady: boolean;
  readonly isDrained: boolean;
  readonly message: string | null;
}): string {
  if (isDrained) return `drained${message === null ? '' : `: ${message}`}`;
  return isReady ? 'ready' : `not ready: ${message ?? ''}`;
}

/** In MB/s. */
function rates(write: number, read: number): string {
  return `written at ${(write / 1e6).toFixed(1)}, read at ${(read / 1e6).toFixed(1)} MB/s`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
