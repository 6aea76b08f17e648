// Composes the role objectresolver: from settings and credentials of the machine to a running resolver.

import { ConfigError } from '../../../../platform/errors/config-error.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { programVersion } from '../../../../platform/process/program-version.ts';
import type { DatabaseContext } from '../../../../platform/process/subgraph-row.ts';
import { resolverRole } from '../../wire/resolve-wire.ts';
import type { clusterSettings } from '../cluster-settings.ts';
import { ObjectResolver } from './object-resolver.ts';

/** Throws ConfigError. */
export async function createObjectResolverRole(
  context: DatabaseContext,
  settings: SettingsOf<typeof clusterSettings>,
): Promise<LifecycleComponent> {
  const { db, log, health, processName } = context;
  const tls = await context.tlsOf(resolverRole);
  if (tls === undefined)
    throw new ConfigError([
      {
        settings: ['internal.machineFolder'],
        wrong: 'a resolver needs mutual TLS, and this process has no certificate for it',
        advice: `run "tidegate join" with a token for the role ${resolverRole}, and set internal.machineFolder`,
      },
    ]);
  const resolver = new ObjectResolver({
    ...{ db, log, tls, name: processName, version: (await programVersion()).version },
    ...{ host: settings['objectResolver.host'], port: settings['objectResolver.port'] },
  });
  return {
    async start() {
      await resolver.start();
      health.add('resolver of object storage', async () => {
        if (resolver.waitsFor !== undefined) throw new Error(`it waits for ${resolver.waitsFor}`);
        return resolver.url;
      });
    },
    drain: () => resolver.drain(),
    stop: () => resolver.stop(),
  };
}
