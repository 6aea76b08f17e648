// Connections of undici's pools to a subgraph by mutual TLS.
import { buildConnector } from 'undici';
import { clientOptions, type MutualTls, watchPeer } from '../machines/tls.ts';

/** Makes a pool's connections to a subgraph, each with the current certificate. `ca`: without `tls`, the authority of the subgraph's certificate. */
export function connectorOf(
  tls: MutualTls | undefined,
  subgraph: string,
  timeoutMs: number,
  ca?: string,
): buildConnector.connector {
  const plain = buildConnector({ timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) });
  if (tls === undefined) return plain;
  let made: { cert: string; connector: buildConnector.connector } | undefined;
  return (options, callback) => {
    if (made?.cert !== tls.cert) {
      // Without session resumption: each connection must present its certificate.
      const connect = { timeout: timeoutMs, maxCachedSessions: 0, ...clientOptions(tls, subgraph) };
      made = { cert: tls.cert, connector: buildConnector(connect as buildConnector.BuildOptions) };
    }
    made.connector(options, (...connected) => {
      watchPeer(tls, connected[1]);
      callback(...connected);
    });
  };
}
