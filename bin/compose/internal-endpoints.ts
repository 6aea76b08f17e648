// Serves this process's subgraphs to gateways on other hosts, where the settings give them a port.
import type { Authenticator } from '../../platform/access.ts';
import type { Config } from '../../platform/config.ts';
import { serveSubgraph } from '../../platform/graph/serve-subgraph.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import type { Keyring } from '../../platform/secrets/keyring.ts';
import type { SystemSubgraph } from '../../subgraphs/system/system.ts';
import { internalTls } from './connections.ts';

export async function serveInternally(
  config: Config,
  log: Logger,
  lifecycle: Lifecycle,
  keyring: Keyring,
  system: SystemSubgraph | undefined,
  relay: Subgraph | undefined,
): Promise<void> {
  const tls = internalTls(config);
  const serve = async (subgraph: Subgraph, port: number, authenticator?: Authenticator): Promise<void> => {
    const served = await serveSubgraph({
      subgraph,
      host: config['internal.host'],
      port,
      keyring,
      log,
      ...(tls === undefined ? {} : { tls }),
      ...(authenticator === undefined ? {} : { authenticator }),
    });
    log.info({ url: served.url }, `subgraph ${subgraph.name} is served`);
    await lifecycle.add(`served ${subgraph.name}`, {
      drain: () => served.drain(),
      stop: () => served.stop(),
      deadlineMs: 35_000,
    });
  };
  const systemPort = config['internal.systemPort'];
  if (system !== undefined && systemPort !== undefined) await serve(system, systemPort, system.authenticator);
  const relayPort = config['internal.relayPort'];
  if (relay !== undefined && relayPort !== undefined) await serve(relay, relayPort);
}
