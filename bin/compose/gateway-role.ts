// The role gateway: the public endpoint in front of subgraphs in this process or on other hosts.
import { readFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import { createGateway, type Gateway, type SubgraphLocation } from '../../gateway/gateway.ts';
import type { Authenticator } from '../../platform/access.ts';
import { type Config, ConfigError } from '../../platform/config.ts';
import { RemoteAuthenticator } from '../../platform/graph/remote-authenticator.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { Health } from '../../platform/health.ts';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import type { Keyring } from '../../platform/secrets/keyring.ts';
import type { SystemSubgraph } from '../../subgraphs/system/system.ts';
import { internalTls, publicTls } from './connections.ts';
import { dashboardFolder, supergraphFile } from './places.ts';

export interface GatewayParts {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly trust: Keyring;
  readonly registry: Registry;
  readonly health: Health;
  readonly system: SystemSubgraph | undefined;
  readonly relay: Subgraph | undefined;
}

export async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, log, lifecycle, trust, registry, health } = parts;
  const tls = internalTls(config);
  const place = (name: 'system' | 'relay', subgraph: Subgraph | undefined): SubgraphLocation => {
    const url = config[`subgraphs.${name}Url`];
    if (url !== undefined) return { name, url: new URL(url).origin, ...(tls === undefined ? {} : { tls }) };
    if (subgraph !== undefined) return { subgraph };
    throw new ConfigError([`subgraphs.${name}Url: the gateway needs it, for this process has no role ${name}`]);
  };
  const systemPlace = place('system', parts.system);
  let authenticator: Authenticator;
  if ('subgraph' in systemPlace && parts.system !== undefined) authenticator = parts.system.authenticator;
  else {
    const remote = new RemoteAuthenticator({
      url: 'url' in systemPlace ? systemPlace.url : '',
      subgraph: 'system',
      keyring: trust,
      ...(tls === undefined ? {} : { tls }),
    });
    await lifecycle.add('authenticator', { stop: () => remote.close() });
    authenticator = remote;
  }
  const certificate = publicTls(config);
  const gateway = await createGateway({
    supergraphSdl: readFileSync(supergraphFile, 'utf8'),
    subgraphs: [systemPlace, place('relay', parts.relay)],
    authenticator,
    keyring: trust,
    log,
    registry,
    readiness: async () =>
      (await health.readiness()).missing.map(({ name, ready, detail }) => ({
        name,
        ready,
        detail: detail ?? undefined,
      })),
    staticFolder: dashboardFolder,
    host: config['listen.host'],
    port: config['listen.port'],
    ...(certificate === undefined ? {} : { tls: certificate }),
    limits: {
      introspection: config['graphql.introspection'],
      maxDepth: config['graphql.maxDepth'],
      maxAliases: config['graphql.maxAliases'],
      maxTokens: config['graphql.maxTokens'],
      maxCost: config['graphql.maxCost'],
      maxBodyBytes: config['graphql.maxBodyBytes'],
    },
    metricsFor: config['metrics.public'] ? 'everyone' : 'loopback',
  });
  await lifecycle.add('gateway', { drain: () => gateway.drain(), stop: () => gateway.stop(), deadlineMs: 35_000 });
  return gateway;
}
