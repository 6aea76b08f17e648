// Composes the role objectcontroller: from settings and credentials of the machine to a running controller.
import { Gauge } from 'prom-client';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { programVersion } from '../../../../platform/process/program-version.ts';
import type { DatabaseContext } from '../../../../platform/process/subgraph-row.ts';
import { openClusterKey } from '../../engine/store/cluster-key.ts';
import { controllerRole } from '../../wire/controller-wire.ts';
import type { clusterSettings } from '../cluster-settings.ts';
import { Controller } from './controller.ts';

/** Throws ConfigError. */
export async function createControllerRole(
  context: DatabaseContext,
  settings: SettingsOf<typeof clusterSettings>,
): Promise<LifecycleComponent> {
  const { db, log, health, registry, processName } = context;
  const urls = settings['objectController.controlPlaneUrls'];
  if (urls.length === 0)
    throw new ConfigError([
      {
        settings: ['objectController.controlPlaneUrls'],
        wrong: 'it is not set',
        advice: 'give the URLs of the processes with the role object-storage',
      },
    ]);
  const tls = await context.tlsOf(controllerRole);
  if (tls === undefined)
    throw new ConfigError([
      {
        settings: ['internal.machineFolder'],
        wrong: 'a controller connects by mutual TLS only, and this process has no certificate for it',
        advice: `run "tidegate join" with a token for the role ${controllerRole}, and set internal.machineFolder`,
      },
    ]);
  const port = settings['objectController.port'];
  const tokenMinutes = settings['objectController.tokenMinutes'];
  const key = await openClusterKey(db, await context.sealer());
  const controller = new Controller({
    ...{ db, key, urls, tls, log, name: processName, version: (await programVersion()).version },
    endpoint: { host: settings['objectController.host'], port, tokenMinutes },
  });
  new Gauge({
    name: 'tidegate_objects_control_plane_connected',
    help: '1 while the controller is connected to the control plane',
    registers: [registry],
    collect() {
      this.set(controller.connected ? 1 : 0);
    },
  });
  return {
    async start() {
      await controller.start();
      // A disconnected cluster keeps serving: the connection does not count for this process's health.
      health.add('controller of object storage', async () => (controller.connected ? 'connected' : 'not connected'));
    },
    drain: () => controller.drain(),
    stop: () => controller.stop(),
  };
}
