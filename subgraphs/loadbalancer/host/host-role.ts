// Puts the role lbhost together: from settings and credentials of the machine to a running host.
import { access, constants, mkdir, realpath } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import type { SettingsOf } from '../../../platform/config.ts';
import { ConfigError } from '../../../platform/config-error.ts';
import { holdFolder } from '../../../platform/hold-folder.ts';
import type { LifecyclePart } from '../../../platform/lifecycle.ts';
import { resolverOf } from '../../../platform/net/resolve-name.ts';
import type { ProcessGround } from '../../../platform/subgraph-row.ts';
import type { hostSettings } from './host-settings.ts';
import { LbHost } from './lb-host.ts';
import { MemberNames } from './member-names.ts';
import { LoopbackProvider } from './providers/loopback.ts';
import { NetnsProvider } from './providers/netns.ts';
import type { NodeProvider } from './providers/provider.ts';

type Settings = SettingsOf<typeof hostSettings>;

/** An earlier process of the host that is ending has so long. */
const folderWaitMs = 60_000;

/** Throws ConfigError. `waitMs`: for another process that uses the folder. */
export async function createHostRole(
  ground: ProcessGround,
  settings: Settings,
  waitMs = folderWaitMs,
): Promise<LifecyclePart> {
  const { log, health, registry } = ground;
  const urls = settings['lbhost.controlUrls'];
  if (urls.length === 0)
    throw fault('lbhost.controlUrls', 'it is not set', 'give the URLs of the processes with the role loadbalancer');
  const tls = await ground.tlsOf('lbhost');
  if (tls === undefined)
    throw fault(
      'internal.machineFolder',
      'a host connects by mutual TLS only, and this process has no certificate for it',
      'run "tidegate join" with a token for the role lbhost, and set internal.machineFolder',
    );
  const publicRange = settings['lbhost.publicRange'];
  if (publicRange === undefined) throw fault('lbhost.publicRange', 'it is not set', 'give a CIDR block for its nodes');
  const managementRange = settings['lbhost.managementRange'] ?? publicRange;
  await requireProgram('lbhost.haproxy', settings['lbhost.haproxy']);
  await mkdir(settings['lbhost.folder'], { recursive: true, mode: 0o700 });
  const folder = await realpath(settings['lbhost.folder']);
  const ranges = { publicRange, managementRange, tunnelAddress: settings['lbhost.tunnelAddress'] ?? null };
  const provider = await providerOf(settings, { folder, ...ranges });
  let hold: Server | undefined;
  let host: LbHost | undefined;
  let names: MemberNames | undefined;
  return {
    deadlineMs: folderWaitMs + 10_000,
    async start() {
      hold = await holdFolder({ folder, setting: 'lbhost.folder', waitMs });
      const path = join(folder, 'names.json');
      const resolved = await MemberNames.open({ path, egress: ground.egress, resolve: resolverOf(), log });
      names = resolved;
      host = await LbHost.open({
        ...{ folder, urls, tls, log, provider },
        haproxy: settings['lbhost.haproxy'],
        keepalived: settings['lbhost.keepalived'],
        facts: {
          ...{ ...ranges, provider: provider.name, site: settings['lbhost.site'] ?? null },
          maxNodes: settings['lbhost.mostNodes'],
          healthPort: settings['lbhost.healthPort'],
        },
        addressesOf: (name, port) => resolved.addressesOf(name, port),
      });
      resolved.start();
      host.start();
      health.add('lbhost', async () => stateOf(host));
      addHostMetrics(registry, host);
    },
    async stop() {
      await host?.stop();
      await names?.stop();
      hold?.close();
    },
  };
}

function addHostMetrics(registry: Registry, host: LbHost): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name: `tidegate_lbhost_${name}`, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  gauge('nodes', 'Nodes on this host', () => host.nodeCount);
  gauge('connected', '1 while this host is connected to the control plane', () => Number(host.connected));
}

/** Without the control plane the nodes serve on: so it is no fault of this process. */
async function stateOf(host: LbHost | undefined): Promise<string> {
  if (host === undefined) return 'starting';
  if (host.unsaved > 0) throw new Error(`the disk does not take the documents of ${host.unsaved} nodes`);
  return `${host.nodeCount} nodes, ${host.connected ? 'connected' : 'not connected to the control plane'}`;
}

async function providerOf(
  settings: Settings,
  places: Pick<
    ConstructorParameters<typeof NetnsProvider>[0],
    'folder' | 'publicRange' | 'managementRange' | 'tunnelAddress'
  >,
): Promise<NodeProvider> {
  if (settings['lbhost.provider'] === 'loopback') return new LoopbackProvider();
  if (process.getuid?.() !== 0)
    throw fault('lbhost.provider', 'network namespaces need root', 'start it as root (--as-root), or set loopback');
  return new NetnsProvider({ ...places, publicInterface: settings['lbhost.publicInterface'] });
}

async function requireProgram(setting: keyof Settings, path: string): Promise<void> {
  await access(path, constants.X_OK).catch(() => {
    throw fault(setting, `${path} is not a program that this user may start`, 'install it, or give its path');
  });
}

function fault(setting: string, wrong: string, advice: string): ConfigError {
  return new ConfigError([{ settings: [setting], wrong, advice }]);
}
