// The lab's two routers as a device: each is a backend, and has a host behind it.
import { readFile } from 'node:fs/promises';
import type { DeviceBackend, DeviceHost, LeftOver, StartDevice } from '../device.ts';
import { endLeftRouters, type RunningRouter, startRouters } from '../routers/routers.ts';
import { setTrouble } from './device-trouble.ts';

export const startRoutersDevice: StartDevice = async (options) => {
  const running = await startRouters(options);
  if (!running.available) return running;
  const { routers } = running;
  const backends = await Promise.all(
    routers.map(async (router) => [router.plan.name, await backendOf(router)] as const),
  );
  const hosts = routers.flatMap(({ plan, host, namespace }): DeviceHost[] => [
    {
      ...{ name: plan.name, address: host, namespace },
      note: `FRR, AS ${plan.asNumber}, ${plan.transit} on the line to the other router`,
    },
    {
      ...{ name: plan.host.name, address: plan.host.address, namespace: running.namespaceOf(plan.host.name) },
      note: `behind ${plan.name}, in ${plan.block}`,
    },
  ]);
  return {
    available: true,
    backends: Object.fromEntries(backends),
    hosts,
    reaches: routers.map(({ host, port }) => ({ host, port })),
    async trouble(trouble) {
      for (const { faults } of routers) await setTrouble(faults, trouble);
    },
    act: (act, host) => running.act(act, host),
    stop: () => running.stop(),
  };
};

export const leftOfRouters: LeftOver = { end: endLeftRouters, remove: endLeftRouters };

async function backendOf({
  host,
  port,
  hostKeySha256,
  username,
  privateKeyPath,
}: RunningRouter): Promise<DeviceBackend> {
  const credentials = { username, privateKey: await readFile(privateKeyPath, 'utf8') };
  return { driver: 'frr', host, port, hostKeySha256, credentials };
}
