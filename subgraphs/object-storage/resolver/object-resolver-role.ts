// Puts the role objectresolver together: from settings and credentials of the machine to a running resolver.
import type { SettingsOf } from '../../../platform/config.ts';
import { ConfigError } from '../../../platform/config-error.ts';
import type { LifecyclePart } from '../../../platform/lifecycle.ts';
import { programVersion } from '../../../platform/program-version.ts';
import type { Ground } from '../../../platform/subgraph-row.ts';
import type { clusterSettings } from '../cluster-settings.ts';
import { resolverRole } from '../wire/resolve-wire.ts';
import { ObjectResolver } from './object-resolver.ts';

/** Throws ConfigError. */
export async function createObjectResolverRole(
  ground: Ground,
  settings: SettingsOf<typeof clusterSettings>,
): Promise<LifecyclePart> {
  const { db, log, health, processName } = ground;
  const tls = await ground.tlsOf(resolverRole);
  if (tls === undefined)
    throw new ConfigError([
      {
        settings: ['internal.machineFolder'],
        wrong: 'a resolver is reached by mutual TLS only, and this process has no certificate for it',
        advice: `run "tidegate join" with a token for the role ${resolverRole}, and set internal.machineFolder`,
      },
    ]);
  const resolver = new ObjectResolver({
    ...{ db, log, tls, name: processName, version: await programVersion() },
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
