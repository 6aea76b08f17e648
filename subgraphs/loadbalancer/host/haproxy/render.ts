// A node's wanted state as a configuration of HAProxy 2.6. Pure: addresses of members that are named by host are given.
import type { WantedNode } from '../../wanted/wanted-node.ts';
import { backendsOf } from './backend.ts';
import { defaultCertificateOf, frontendOf, isServable } from './frontend.ts';
import type { CertificateModel, HaproxyModel } from './model.ts';
import { word } from './quoting.ts';
import { bindAddress, certificatePath, type NodePlaces, type Tree, treeOf } from './tree.ts';

export function renderNode(node: WantedNode, places: NodePlaces): HaproxyModel {
  const tree = treeOf(node, places);
  const listeners = tree.children('Listener', node.loadBalancer.id);
  const pools = tree.children('Pool', node.loadBalancer.id);
  // A node that is drained accepts nothing new; the sessions that it has are finished by HAProxy's earlier worker.
  const served = node.state === 'DRAIN' ? [] : listeners.filter((listener) => isServable(tree, listener));
  const frontends = [healthFrontend(tree), ...served.map((listener) => frontendOf(tree, listener))];
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
      // States of servers over a reload.
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

/** What is logged waits here until it is read, the oldest lines making room for new ones. */
const eventLines = ['format raw', 'maxlen 8192', 'size 1048576'];

function globalLines({ size }: WantedNode, places: NodePlaces): string[] {
  return [
    `maxconn ${size.connections}`,
    `nbthread ${size.threads}`,
    `stats socket ${word(places.runtimeSocket)} mode 600 level admin expose-fd listeners`,
    'stats timeout 30s',
    `server-state-file ${word(`${places.folder}/servers.state`)}`,
    'log ring@events format raw local0',
    // The first check of a new member is not its whole interval away; later ones drift apart again.
    'max-spread-checks 50ms',
    'spread-checks 5',
    // Sessions that outlive so many reloads, or a day, are ended: each earlier worker needs memory.
    'mworker-max-reloads 50',
    'hard-stop-after 24h',
    'ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    'tune.ssl.default-dh-param 2048',
  ];
}

/** Answers on the management leg alone; the answer proves which node it is, and which start of it. */
function healthFrontend({ node, places }: Tree) {
  const body = JSON.stringify({ node: node.id, incarnation: places.incarnation });
  return {
    name: 'health',
    lines: [
      `bind ${word(bindAddress(node.managementAddress, places.healthPort))}`,
      'mode http',
      'option dontlog-normal',
      `http-request return status 200 content-type application/json string ${word(body)} if { path /health }`,
      'http-request use-service prometheus-exporter if { path /metrics }',
      'http-request deny deny_status 404',
    ],
  };
}
