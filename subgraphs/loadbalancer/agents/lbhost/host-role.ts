// Composes the role lbhost: from settings and credentials of the machine to a running host.
import { access, constants, mkdir, realpath } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import { mustBeWritable } from '../../../../platform/database/writable-folder.ts';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import { resolverOf } from '../../../../platform/net/resolve-name.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import { holdFolder } from '../../../../platform/process/hold-folder.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import type { ProcessContext } from '../../../../platform/process/subgraph-row.ts';
import { Confinement, type ConfinementOptions } from './confinement/confinement.ts';
import type { hostSettings } from './host-settings.ts';
import { LbHost } from './lb-host.ts';
import { MemberNames } from './member-names.ts';
import { LoopbackProvider } from './providers/loopback.ts';
import { NetnsProvider } from './providers/netns.ts';
import type { NodeProvider } from './providers/provider.ts';

type Settings = SettingsOf<typeof hostSettings>;

/** How long to wait for an earlier process of the host to end. */
const folderWaitMs = 60_000;

/** Throws ConfigError. `waitMs`: how long to wait for another process that uses the folder. */
export async function createHostRole(
  context: ProcessContext,
  settings: Settings,
  waitMs = folderWaitMs,
): Promise<LifecycleComponent> {
  const { log, health, registry } = context;
  const urls = settings['lbhost.controlUrls'];
  if (urls.length === 0)
    throw fault('lbhost.controlUrls', 'it is not set', 'give the URLs of the processes with the role loadbalancer');
  const tls = await context.tlsOf('lbhost');
  if (tls === undefined)
    throw fault(
      'internal.machineFolder',
      'a host connects by mutual TLS only, and this process has no certificate for it',
      'run "tidegate join" with a token for the role lbhost, and set internal.machineFolder',
    );
  const publicRange = settings['lbhost.publicRange'];
  if (publicRange === undefined) throw fault('lbhost.publicRange', 'it is not set', 'give a CIDR block for its nodes');
  const managementRange = settings['lbhost.managementRange'] ?? publicRange;
  const haproxy = await realProgram('lbhost.haproxy', settings['lbhost.haproxy']);
  // Needed only for shared addresses.
  const keepalived = await realpath(settings['lbhost.keepalived']).catch(() => settings['lbhost.keepalived']);
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
      const confinement = await confinementOf(settings, { folder, programs: [haproxy, keepalived] });
      if (confinement.fault !== null) log.warn({ fault: confinement.fault }, 'nodes are not confined in full');
      const path = join(folder, 'names.json');
      const resolved = await MemberNames.open({
        ...{ path, egress: context.egress, resolve: resolverOf(), log },
        ranges: [publicRange, managementRange],
      });
      names = resolved;
      host = await LbHost.open({
        ...{ folder, urls, tls, log, provider, confinement, haproxy, keepalived },
        facts: {
          ...{ ...ranges, provider: provider.name, site: settings['lbhost.site'] ?? null },
          maxNodes: settings['lbhost.mostNodes'],
          healthPort: settings['lbhost.healthPort'],
        },
        addressesOf: (name, port, project) => resolved.addressesOf(name, port, project),
      });
      resolved.start();
      host.start();
      health.add('lbhost', async () => stateOf(host));
      health.add('confinement', async () => confinedBy(confinement), { required: false });
      health.add('disk', async () => mustBeWritable(folder), { required: false });
      addHostMetrics(registry, host, confinement);
    },
    async stop() {
      await host?.stop();
      await names?.stop();
      hold?.close();
    },
  };
}

function addHostMetrics(registry: Registry, host: LbHost, confinement: Confinement): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name: `tidegate_lbhost_${name}`, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  gauge('nodes', 'Nodes on this host', () => host.nodeCount);
  gauge('connected', '1 while this host is connected to the control plane', () => Number(host.connected));
  gauge('confined', '1 while nodes are confined and limited in full', () => Number(confinement.fault === null));
}

/** Without the control plane the nodes keep serving, so it does not count as a fault of this process. */
async function stateOf(host: LbHost | undefined): Promise<string> {
  if (host === undefined) return 'starting';
  if (host.unsaved > 0) throw new Error(`the documents of ${host.unsaved} nodes could not be saved to disk`);
  return `${host.nodeCount} nodes, ${host.connected ? 'connected' : 'not connected to the control plane'}`;
}

/** Nodes run anyway, unless limits are required. */
function confinedBy({ fault }: Confinement): string {
  if (fault !== null) throw new Error(fault);
  return 'nodes are confined and limited in full';
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

/** Resolves links: a node does not see the folders that contain them. */
async function realProgram(setting: keyof Settings, path: string): Promise<string> {
  await access(path, constants.X_OK).catch(() => {
    throw fault(setting, `${path} is not a program that this user may start`, 'install it, or give its path');
  });
  return realpath(path);
}

async function confinementOf(
  settings: Settings,
  places: Pick<ConfinementOptions, 'folder' | 'programs'>,
): Promise<Confinement> {
  const [firstUid, cgroup] = [settings['lbhost.firstUid'], settings['lbhost.cgroup']];
  const confinement = await Confinement.open({ ...places, firstUid, cgroup });
  if (confinement.fault !== null && settings['lbhost.limits'] === 'required')
    throw fault(
      'lbhost.limits',
      confinement.fault,
      'start it as root on a machine with cgroup v2, or set lbhost.limits to available',
    );
  return confinement;
}

function fault(setting: string, wrong: string, advice: string): ConfigError {
  return new ConfigError([{ settings: [setting], wrong, advice }]);
}
