// A full physical copy of the running database, encrypted on its way to the disk, with its manifest.
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createZstdCompress } from 'node:zlib';
import { sizeOfFolder, startCopy } from '../embedded/physical-copy.ts';
import { programVersion, shownVersion } from '../platform/process/program-version.ts';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { encrypterFor, encryptFile } from './age-file.ts';
import { fault } from './faults.ts';
import type { LocalServer } from './local-server.ts';
import { writeLogIndex } from './log-index.ts';
import { dataName, formatVersion, type Manifest, manifestName } from './manifest.ts';
import type { Place } from './place.ts';
import { sealedText } from './sealed-file.ts';
import type { BackupTarget } from './target.ts';

interface CopyOptions {
  readonly server: LocalServer;
  readonly target: BackupTarget;
  readonly recipients: readonly string[];
  readonly keys: Keyring;
  /** Of `keys.folder`, by `FILE/ID`. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly mebiPerSecond: number;
  readonly signal: AbortSignal;
}

interface MadeBackup {
  readonly name: string;
  readonly manifest: Manifest;
}

export async function makeFullCopy(options: CopyOptions): Promise<MadeBackup> {
  const { server, target, recipients, keys, fingerprints } = options;
  const encrypter = encrypterFor(recipients);
  const dataBytes = await sizeOfFolder(server.facts.dataPath);
  // As if the compression made nothing smaller.
  await target.requireRoom(dataBytes);
  const database = await server.databaseFacts();
  const startedAt = await server.now();
  const place = await target.begin(startedAt);
  try {
    const { data, gtid } = await copyInto(place, { ...options, dataBytes }, encrypter);
    if (gtid.includes(','))
      fault('the binary log has several replication domains: a backup archives one (gtid_domain_id)');
    const manifest: Manifest = {
      format: formatVersion,
      product: shownVersion(await programVersion()),
      ...database,
      server: { version: server.facts.version, host: server.facts.host },
      database: server.database,
      gtid: server.facts.logBase === null ? null : gtid,
      keys: fingerprints,
      startedAt: startedAt.toISOString(),
      copiedAt: (await server.now()).toISOString(),
      ...{ dataBytes, data },
    };
    const text = sealedText(manifest, keys);
    if (manifest.gtid !== null) {
      const isBehind = await server.isReplica();
      const coveredUntil = isBehind ? (manifest.newestWriteAt ?? manifest.startedAt) : manifest.copiedAt;
      await writeLogIndex(place, { manifest: hash('sha256', text), pieces: [], coveredUntil }, keys);
    }
    await place.replace(manifestName, text);
    return { name: await target.finish(new Date(manifest.copiedAt)), manifest };
  } catch (error) {
    await target.abandon();
    throw error;
  }
}

async function copyInto(
  place: Place,
  { server, mebiPerSecond, dataBytes, signal }: CopyOptions & { readonly dataBytes: number },
  encrypter: ReturnType<typeof encrypterFor>,
) {
  const work = await mkdtemp(join(tmpdir(), 'tidegate-backup-'));
  try {
    const [target, info] = [join(work, 'target'), join(work, 'info')];
    for (const each of [target, info]) await mkdir(each);
    const settingsFile = await server.writeSettings(work);
    // Its reads of data are slowed, of a MiB each. A slowed stream would keep it from copying the redo log before the server overwrites that.
    const more = [`--extra-lsndir=${info}`, '--loose-read-buffer-size=1M', `--throttle=${mebiPerSecond}`];
    const copy = await startCopy({ settingsFile, dataPath: server.facts.dataPath, work: target, more });
    const onAbort = () => copy.child.kill('SIGKILL');
    signal.addEventListener('abort', onAbort);
    try {
      // It may have come before the listener.
      signal.throwIfAborted();
      const compressed = copy.output.pipe(createZstdCompress());
      copy.output.on('error', (error) => compressed.destroy(error));
      const data = await encryptFile(place, dataName, { source: compressed, encrypter, mostBytes: dataBytes });
      // The stream of a copy that failed ends like that of a whole one.
      await copy.finished();
      signal.throwIfAborted();
      return { data, gtid: positionIn(await readFile(join(info, 'xtrabackup_info'), 'utf8')) };
    } finally {
      signal.removeEventListener('abort', onAbort);
      copy.child.kill('SIGKILL');
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** From the line `binlog_pos` of mariadb-backup. Empty before the first transaction. */
function positionIn(info: string): string {
  const [, gtid] = /^binlog_pos = .*GTID of the last change '([^']*)'/m.exec(info) ?? [];
  return gtid ?? '';
}
