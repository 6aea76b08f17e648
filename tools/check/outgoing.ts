// The files that may open connections. On a user's behalf only platform/net/dial.ts does, which checks each address with the
// egress policy. The others on the list reach the installation's own parts, at addresses from its settings, never from a user.
import type { SourceFile } from './source-files.ts';
import { covers } from './top-folders.ts';

/** Modules that open connections or resolve names, with the names that do so. Absent for all their names. */
const openers: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ['net', ['connect', 'createConnection', 'Socket', 'Stream']],
  ['tls', ['connect']],
  ['http', ['request', 'get', 'Agent', 'ClientRequest', 'WebSocket']],
  ['https', ['request', 'get', 'Agent']],
  ['http2', ['connect']],
  ['dgram', undefined],
  ['dns', undefined],
  ['dns/promises', undefined],
  ['module', ['createRequire']],
  ['process', ['getBuiltinModule']],
  ['undici', undefined],
  ['ssh2', ['Client', 'default']],
  ['ws', ['WebSocket', 'default', 'createWebSocketStream']],
  ['graphql-ws', ['createClient']],
  ['mariadb', undefined],
  ['@prisma/adapter-mariadb', undefined],
  ['ioredis', undefined],
  ['bullmq', undefined],
  ['nodemailer', undefined],
]);

const globals = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'getBuiltinModule'];

/** The files that may, with their destinations. */
const allowed: ReadonlyMap<string, string> = new Map([
  ['platform/net/dial.ts', 'what the egress policy allows'],
  ['platform/net/names.ts', 'names that dial.ts is given, resolved'],
  ['platform/net/resolve-name.ts', 'the name servers of the machine or of its settings'],
  ['platform/net/datagram.ts', 'what the egress policy allows'],
  ['platform/net/http2-over.ts', 'HTTP/2 on a socket of dial.ts'],
  ['platform/net/ssh-client.ts', 'SSH on a socket of dial.ts'],
  ['platform/net/tls-handshake.ts', 'TLS on a socket of dial.ts'],
  ['platform/net/tls-over.ts', 'TLS on a socket of dial.ts'],
  ['platform/net/tls-tcp-socket.ts', 'the socket that dial.ts is given'],
  ['subgraphs/system/control/alerts/send-message.ts', 'mail on a socket of dial.ts'],
  ['platform/net/https-connection.ts', 'HTTP on a socket of tls-handshake.ts'],
  ['platform/net/receive-datagrams.ts', 'nowhere: it only receives'],
  ['platform/net/own-places.ts', 'names of our own parts, resolved to be denied'],
  ['platform/database/database.ts', 'our database'],
  ['platform/database/migrate.ts', 'our database'],
  ['platform/database/first-connections.ts', 'our database'],
  ['platform/database/primary-finder.ts', 'our database'],
  ['platform/database/server-pools.ts', 'our database'],
  ['platform/database/server-reads.ts', 'our database'],
  ['platform/work/redis.ts', 'our Redis'],
  ['platform/process/config.ts', 'nowhere: it loads the reader of YAML when a file is in YAML'],
  ['platform/log/log.ts', 'nowhere: it loads the readable form of the log when a terminal shows it'],
  ['workers/queues/queue-worker.ts', 'our Redis'],
  ['backup/s3-client.ts', 'the object store that an operator names for backups'],
  ['platform/graph/remote-authenticator.ts', 'our subgraphs'],
  ['platform/graph/ask-graph.ts', 'our gateways'],
  ['platform/graph/pulse.ts', 'our subgraphs and gateways'],
  ['platform/graph/connector.ts', 'our subgraphs'],
  ['gateway/supergraph/http-link.ts', 'our subgraphs'],
  ['gateway/supergraph/http-streams.ts', 'our subgraphs'],
  ['platform/machines/endpoint.ts', 'our gateway, as a machine of the installation'],
  ['platform/link/link-client.ts', 'our subgraphs, as a machine of the installation'],
  [
    'subgraphs/object-storage/engine/peers/peer-place.ts',
    'servers of our other clusters, as a machine of the installation',
  ],
  [
    'subgraphs/object-storage/engine/federation/service-pool.ts',
    'controllers of our clusters, as a machine of the installation',
  ],
  ['subgraphs/loadbalancer/agents/lbhost/haproxy/log-reader.ts', 'a Unix socket of a HAProxy of the host itself'],
  ['subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts', 'a Unix socket of a HAProxy of the host itself'],
  ['platform/checks/self-check.ts', 'a listener of the process itself'],
  ['dns/servers/transport.ts', 'the DNS servers of the settings, and what the egress policy allows'],
  ['dns/answerer/net/udp.ts', 'nowhere: it answers who asked'],
  ['embedded/mariadb.ts', 'the private MariaDB of npm start'],
  ['backup/local-server.ts', 'the database of this process, on this host'],
  ['backup/private-server.ts', 'the private MariaDB of a restored copy'],
  ['embedded/redis.ts', 'the private Redis of npm start'],
  ['embedded/powerdns.ts', 'the private PowerDNS'],
  ['embedded/etcd.ts', "the host's own member of etcd"],
  ['ha/api-probe.ts', 'tidegate serve of the same host, at the address that it noted'],
  ['ha/etcd-gateway.ts', 'the members of etcd on the hosts of the cluster'],
  ['ha/agent/session.ts', 'a Unix socket of the own database'],
  ['ha/agent/fetch-copy.ts', 'the other data host, for a copy of its database'],
  ['ha/host/take-over.ts', 'a Unix socket of the own database'],
  ['ha/host/join-client.ts', 'the first host of the cluster'],
  ['cli/lab-client.ts', 'as a command line client: a Unix socket in the data folder'],
  ['lab/control-plane/graph.ts', 'the gateway of npm start'],
  ['cli/ha-demo/serving.ts', 'the hosts of npm start -- --ha'],
  ['cli/doctor/findings.ts', 'the process on this host'],
  ['cli/commands/lab/load/line.ts', 'as a command line client: the hosts of npm start -- --ha'],
  ['cli/demo/names.ts', 'as a command line client: the name servers of the lab'],
  ['cli/graph-client.ts', 'as a command line client: the server that its user names'],
  ['cli/cluster-client.ts', 'as a command line client: the cluster that its user names'],
  ['cli/status-stream.ts', 'as a command line client'],
  ['cli/commands/mappings/export.ts', 'as a command line client'],
]);

export function findOutgoingFaults(files: readonly SourceFile[]): string[] {
  const ours = files.filter(({ path }) => covers('connections', path));
  return ours.flatMap((file) => {
    const ways = waysOf(file);
    if (!allowed.has(file.path))
      return ways.map((way) => `${file.path} uses ${way}: connections are opened by platform/net/dial.ts alone`);
    return ways.length > 0 ? [] : [`${file.path} opens no connection: take it off the list in tools/check/outgoing.ts`];
  });
}

/** A file's ways to open a connection. */
function waysOf(file: SourceFile): string[] {
  const imported = file.imports.flatMap(({ target, ours, uses }) => {
    const module = target.replace(/^node:/, '');
    if (ours || !openers.has(module)) return [];
    const names = openers.get(module);
    return uses
      .filter((name) => name === '*' || names === undefined || names.includes(name))
      .map((name) => (name === '*' ? `all of ${target}` : `${name} of ${target}`));
  });
  return [...imported, ...globals.filter((name) => file.names.has(name))];
}
