// Renders a node's wanted state as a configuration of HAProxy 2.6. Pure: addresses of members with host names are passed in.
import type { WantedNode } from '../../wire/wanted-node.ts';
import { backendsOf } from './backend.ts';
import { defaultCertificateOf, frontendOf, isServable } from './frontend.ts';
import type { CertificateModel, HaproxyModel } from './model.ts';
import { rootOf } from './node-places.ts';
import { word } from './quoting.ts';
import {
  bindAddress,
  certificatePath,
  healthName,
  type NodePlaces,
  ownConnections,
  type Tree,
  treeOf,
} from './tree.ts';

export function renderNode(node: WantedNode, places: NodePlaces): HaproxyModel {
  const tree = treeOf(node, places);
  const listeners = tree.children('Listener', node.loadBalancer.id);
  const pools = tree.children('Pool', node.loadBalancer.id);
  // A draining node accepts nothing new. HAProxy's earlier worker finishes its sessions.
  const served = node.state === 'DRAIN' ? [] : listeners.filter((listener) => isServable(tree, listener));
  const isShared = served.length > 1;
  const frontends = [healthFrontend(tree, isShared), ...served.map((each) => frontendOf(tree, each, isShared))];
  const backends = pools.flatMap((pool) => backendsOf(tree, pool, listeners));
  const certificates = [
    ...node.certificates.map(({ id, pem }): CertificateModel => ({ path: certificatePath(places, id), pem })),
    ...served.flatMap((listener) => defaultCertificateOf(tree, listener) ?? []),
  ];
  return {
    global: globalLines(node, places),
    events: eventLines,
    defaults: [
      'mode http',
      'log global',
      // Preserves states of servers over a reload.
      'load-server-state-from-file global',
      'timeout connect 5s',
      'timeout client 50s',
      'timeout server 50s',
      'timeout http-request 10s',
    ],
    frontends: new Map(frontends.map((each) => [each.name, each])),
    backends: new Map(backends.map((each) => [each.name, each])),
    certificates: new Map(certificates.map((each) => [each.path, each])),
    files: tree.files,
  };
}

/** Buffers logged lines until they are read. New lines replace the oldest. */
const eventLines = ['format raw', 'maxlen 8192', 'size 1048576'];

function globalLines({ size }: WantedNode, places: NodePlaces): string[] {
  const { uid, folder } = places;
  return [
    `maxconn ${size.connections + ownConnections}`,
    `nbthread ${size.threads}`,
    ...(uid === null ? [] : [`uid ${uid}`, `gid ${uid}`, `chroot ${word(rootOf(folder).empty)}`]),
    `stats socket ${word(places.runtimeSocket)} mode 600 level admin expose-fd listeners`,
    'stats timeout 30s',
    `server-state-file ${word(`${places.folder}/servers.state`)}`,
    'log ring@events format raw local0',
    // Starts the first check of a new member early, rather than a whole interval later. Later checks spread out again.
    'max-spread-checks 50ms',
    'spread-checks 5',
    // Sessions that outlast this many reloads, or a day, are ended: each earlier worker needs memory.
    'mworker-max-reloads 50',
    'hard-stop-after 24h',
    'ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    // All listeners of a worker share one session cache, and HAProxy does not check which listener a session comes from: a resumed session
    // would replace the client certificate that another listener requires. So no sessions are cached, and no tickets are issued.
    'tune.ssl.cachesize 0',
    'tune.ssl.default-dh-param 2048',
  ];
}

/** Answers only on the management leg. The answer proves which node it is and which start of HAProxy. `isShared`: see `limitLines`. */
function healthFrontend({ node, places }: Tree, isShared: boolean) {
  const body = JSON.stringify({ node: node.id, incarnation: places.incarnation });
  return {
    name: healthName,
    lines: [
      `bind ${word(bindAddress(node.managementAddress, places.healthPort))}`,
      'mode http',
      `maxconn ${ownConnections}`,
      ...(isShared ? ['stick-table type integer size 10 store conn_cur'] : []),
      'option dontlog-normal',
      `http-request return status 200 content-type application/json string ${word(body)} if { path /health }`,
      'http-request use-service prometheus-exporter if { path /metrics }',
      'http-request deny deny_status 404',
    ],
  };
}
