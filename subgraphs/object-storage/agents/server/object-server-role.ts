// Composes the role objectserver: from settings and credentials of the machine to a running server.
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import { watchCertificateEnd } from '../../../../platform/machines/certificate-ends.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { programVersion } from '../../../../platform/process/program-version.ts';
import type { DatabaseContext } from '../../../../platform/process/subgraph-row.ts';
import { serverRole } from '../../engine/peers/peer-wire.ts';
import type { ServerTls } from '../../engine/s3/server.ts';
import { openClusterKey } from '../../engine/store/cluster-key.ts';
import type { clusterSettings } from '../cluster-settings.ts';
import { ObjectServer } from './object-server.ts';
import type { ScrubFigures } from './scrubber.ts';
import { addServerMetrics, countRequests } from './server-metrics.ts';

type Settings = SettingsOf<typeof clusterSettings>;

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Throws ConfigError. */
export async function createObjectServerRole(
  context: DatabaseContext,
  settings: Settings,
): Promise<LifecycleComponent> {
  const { db, log, health, registry, processName, trustedClock } = context;
  const cluster = settings['objectStore.cluster'];
  if (cluster === undefined)
    throw fault('objectStore.cluster', 'it is not set', 'give the name of its cluster (objectClusterCreate)');
  const tls = await context.tlsOf(serverRole);
  if (tls === undefined)
    throw fault(
      'internal.machineFolder',
      'servers of clusters connect by mutual TLS only, and this process has no certificate for it',
      `run "tidegate join" with a token for the role ${serverRole}, and set internal.machineFolder`,
    );
  const s3Tls = await tlsOf(settings);
  if (s3Tls !== undefined) watchCertificateEnd(registry, { use: 'public', role: serverRole }, () => s3Tls.cert);
  const count = countRequests(registry);
  const isLogged = settings['objectServer.accessLog'];
  const server = new ObjectServer({
    served: (request) => {
      count(request);
      if (isLogged) log.info(request, 'request');
    },
    trustedNowMs: trustedClock.nowMs,
    ...{ db, log, cluster, folder: settings['objectStore.folder'], name: processName },
    maxIsolationMs: settings['objectStore.maxIsolationHours'] * hourMs,
    scrub: {
      bytesPerSecond: settings['objectStore.scrubKiBPerSecond'] * kibibyte,
      passMs: settings['objectStore.scrubDays'] * dayMs,
    },
    mostUploads: settings['objectServer.openUploads'],
    keepFreeBytes: settings['objectStore.keepFreeMiB'] * mebibyte,
    key: await openClusterKey(db, await context.sealer()),
    version: (await programVersion()).version,
    peers: { host: settings['objectServer.peerHost'], port: settings['objectServer.peerPort'], tls },
    s3: {
      ...{ host: settings['objectServer.s3Host'], port: settings['objectServer.s3Port'] },
      ...{
        region: settings['objectServer.region'],
        tls: s3Tls,
        names: settings['objectServer.s3Names'],
      },
    },
  });
  addServerMetrics(registry, server);
  return {
    start() {
      server.start();
      health.add('server of object storage', async () => {
        if (server.lost !== undefined) throw new Error(server.lost);
        if (server.waitsFor !== undefined) throw new Error(`it waits for ${server.waitsFor}`);
        return server.s3Url;
      });
      // Not required for readiness: existing objects can be read, and other clusters take new ones.
      health.add('disk', async () => describeDisk(await server.diskFault()), { required: false });
      // Not a fault of this process if the blobs are missing elsewhere too: no other process could serve them.
      health.add('blobs', async () => describeScrub(server.scrubbed));
    },
    drain: () => server.drain(),
    stop: () => server.stop(),
  };
}

function describeDisk(fault: string | undefined): undefined {
  if (fault !== undefined) throw new Error(fault);
  return undefined;
}

function describeScrub(figures: ScrubFigures | undefined): string | undefined {
  if (figures === undefined) return undefined;
  const { damaged, missing, repaired, unrepaired, passed } = figures;
  const found = `${damaged} damaged, ${missing} missing, ${repaired} repaired, ${unrepaired} not yet`;
  return `${found}; ${Math.floor(passed * 100)} % of a pass over all`;
}

async function tlsOf(settings: Settings): Promise<ServerTls | undefined> {
  const [certFile, keyFile] = [settings['objectServer.s3CertFile'], settings['objectServer.s3KeyFile']];
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw fault('objectServer.s3CertFile', 'certificate and key must be given together', 'give both, or none');
  return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}

function fault(setting: string, wrong: string, advice: string): ConfigError {
  return new ConfigError([{ settings: [setting], wrong, advice }]);
}
