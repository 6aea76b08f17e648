// Serves this process's subgraphs to gateways on other hosts, if the settings give them a port.

import { serveSubgraph } from '../platform/graph/serve-subgraph.ts';
import type { Logger } from '../platform/log/log.ts';
import { type Config, placeOf } from '../platform/process/config.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import type { RunningSubgraph } from '../platform/process/subgraph-row.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import type { TlsOfRole } from './internal-tls.ts';

/** Returns their URLs. */
export async function serveInternally(
  config: Config,
  log: Logger,
  lifecycle: Lifecycle,
  keys: KeyFolder,
  tlsOf: TlsOfRole,
  running: ReadonlyMap<string, RunningSubgraph>,
): Promise<readonly string[]> {
  const urls: string[] = [];
  for (const [name, { subgraph, access }] of running) {
    const { port } = placeOf(name, config);
    if (port === undefined) continue;
    const tls = await tlsOf(name);
    const served = await serveSubgraph({
      subgraph,
      host: config['internal.host'],
      port,
      publicKeys: await keys.publicKeys(),
      log,
      ...(tls === undefined ? {} : { tls }),
      ...(access === undefined ? {} : { authenticator: access.authenticator, checkLogin: access.checkLogin }),
    });
    urls.push(served.url);
    log.info({ url: served.url }, `subgraph ${name} is served`);
    await lifecycle.add(`served ${name}`, {
      drain: () => served.drain(),
      stop: () => served.stop(),
      deadlineMs: 35_000,
    });
  }
  return urls;
}
