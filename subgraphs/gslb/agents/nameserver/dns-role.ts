// Assembles the role dns: from settings and credentials of the machine to an answering name server. To answer it needs nothing else: it starts with
// the zones of its folder, and links to the conductor afterwards.
import { mkdir, realpath } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import { mustBeWritable } from '../../../../platform/database/writable-folder.ts';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import { holdFolder } from '../../../../platform/process/hold-folder.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { programVersion } from '../../../../platform/process/program-version.ts';
import type { ProcessContext } from '../../../../platform/process/subgraph-row.ts';
import { openOrMakeKeyring } from '../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../platform/secrets/seal.ts';
import { nameServerRole } from '../../wire/dns-wire.ts';
import type { nameServerSettings } from './dns-settings.ts';
import { GeoFile } from './geo-file.ts';
import { NameServer } from './name-server.ts';
import { addNameServerMetrics } from './name-server-metrics.ts';

type Settings = SettingsOf<typeof nameServerSettings>;

/** Time for an earlier process of the name server to end. */
const folderWaitMs = 60_000;
/** Key file in the machine's folder. It seals the zones' keys in `nameserver.folder`, which may be stored elsewhere, for example in a backup. */
const keyFile = 'nameserver.keys';

/** Throws ConfigError. `waitMs`: how long to wait for another process that uses the folder. */
export async function createDnsRole(
  context: ProcessContext,
  settings: Settings,
  waitMs = folderWaitMs,
): Promise<LifecycleComponent> {
  const { log, health, registry, processName, machineFolder } = context;
  const urls = settings['nameserver.controlUrls'];
  if (urls.length === 0)
    throw fault('nameserver.controlUrls', 'it is not set', 'give the URLs of the processes with the role gslb');
  const listen = settings['nameserver.listen'];
  if (listen.length === 0) throw fault('nameserver.listen', 'it is not set', 'give the addresses where it answers');
  const tls = machineFolder === undefined ? undefined : await context.tlsOf(nameServerRole);
  if (tls === undefined || machineFolder === undefined)
    throw fault(
      'internal.machineFolder',
      'a name server connects by mutual TLS only, and this process has no credentials for it',
      `run "tidegate join" with a token for the role ${nameServerRole}, and set internal.machineFolder`,
    );
  const sealer = createSealer(await openOrMakeKeyring(join(machineFolder, keyFile)));
  await mkdir(settings['nameserver.folder'], { recursive: true, mode: 0o700 });
  const folder = await realpath(settings['nameserver.folder']);
  const { version } = await programVersion();
  const geoPath = settings['nameserver.geoFile'];
  const geo = geoPath === undefined ? undefined : new GeoFile(geoPath, log);
  let hold: Server | undefined;
  let server: NameServer | undefined;
  return {
    deadlineMs: folderWaitMs + 10_000,
    async start() {
      hold = await holdFolder({ folder, setting: 'nameserver.folder', waitMs });
      await geo?.start();
      const answerer = await Answerer.start({
        ...{ listen, name: processName, disk: { path: join(folder, 'zones'), sealer } },
        ...(geo && { geo }),
        limit: {
          answersPerSecond: settings['nameserver.answersPerSecond'],
          totalPerSecond: settings['nameserver.totalPerSecond'],
          amplification: settings['nameserver.amplification'],
        },
        failed: (what, error) => log.error({ err: error }, what),
      }).catch((error: NodeJS.ErrnoException) => {
        if (error.syscall !== 'listen' && error.syscall !== 'bind') throw error;
        const advice = error.code === 'EACCES' ? 'ports below 1024 need CAP_NET_BIND_SERVICE' : 'stop what uses it';
        throw fault('nameserver.listen', error.message, advice);
      });
      server = new NameServer({ ...{ answerer, listen, urls, tls, log, version }, name: processName });
      server.start();
      health.add('name server', async () => server?.health());
      health.add('disk', async () => mustBeWritable(folder), { required: false });
      if (geo !== undefined) health.add('places of clients', async () => healthOf(geo), { required: false });
      addNameServerMetrics(registry, server);
    },
    async stop() {
      await server?.stop();
      await geo?.stop();
      hold?.close();
    },
  };
}

async function healthOf(geo: GeoFile): Promise<undefined> {
  if (geo.fault !== undefined) throw new Error(geo.fault);
  return undefined;
}

function fault(setting: string, wrong: string, advice: string): ConfigError {
  return new ConfigError([{ settings: [setting], wrong, advice }]);
}
