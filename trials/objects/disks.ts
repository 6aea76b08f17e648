// Reads the clusters' disks without the program under test: rows by SQL, blobs as files.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import type { Cluster } from './site.ts';

export interface DiskObject {
  readonly version: string;
  readonly etag: string;
  readonly inline: Buffer | undefined;
  readonly blobs: readonly string[];
  /** The complete row, which must be the same at two replicas. */
  readonly text: string;
}

export interface Disk {
  readonly cluster: number;
  /** Objects of the container that are not deleted. */
  readonly objects: ReadonlyMap<string, DiskObject>;
  /** The blobs of the container by id, and whether each is intact. */
  readonly blobs: ReadonlyMap<string, DiskBlob>;
  /** Files of unfinished writes. */
  readonly unfinished: readonly string[];
}

interface DiskBlob {
  readonly isWhole: boolean;
  readonly bytes: Buffer;
}

interface Row {
  readonly name: Buffer;
  readonly version: string;
  readonly head: string;
  readonly body: Buffer | null;
}

const footBytes = 22;
const blockBytes = 1024 ** 2;

/** `scope`: the container's id. */
export async function readDisk(cluster: Cluster, scope: string): Promise<Disk> {
  const rows = await cluster.db.query<Row>(
    'SELECT name, HEX(version) AS version, head, body FROM store_register WHERE ring = 1 AND scope = UNHEX(?) AND kind = 0',
    [scope],
  );
  // Names that no user can use begin with NUL. The empty name is the container's state.
  const visible = rows.filter(({ name }) => name.length > 0 && name[0] !== 0);
  const objects = new Map(visible.map((row) => [row.name.toString(), objectIn(row)]));
  const [blobs, unfinished] = await Promise.all([blobsIn(cluster.folder, scope), unfinishedIn(cluster.folder)]);
  return { cluster: cluster.number, objects, blobs, unfinished };
}

function objectIn({ version, head, body }: Row): DiskObject {
  const { etag, blobs } = JSON.parse(head) as { readonly etag: string; readonly blobs?: true };
  const ids = blobs === true ? (JSON.parse(String(body)) as { readonly id: string }[]).map(({ id }) => id) : [];
  const text = `${version} ${head} ${body?.toString('base64') ?? ''}`;
  return { version, etag, inline: blobs === true ? undefined : (body ?? Buffer.alloc(0)), blobs: ids, text };
}

async function blobsIn(folder: string, scope: string): Promise<Map<string, DiskBlob>> {
  const found = new Map<string, DiskBlob>();
  for (const path of await filesIn(join(folder, 'blobs'))) {
    // The blob was collected in the meantime.
    const file = await readFile(path).catch(() => undefined);
    if (file === undefined) continue;
    const blob = blobIn(file);
    if (blob.scope === undefined || blob.scope === scope) found.set(path.slice(-32), blob);
  }
  return found;
}

/** `scope` is undefined if it can't be determined. */
function blobIn(file: Buffer): DiskBlob & { readonly scope: string | undefined } {
  const damaged = { isWhole: false, bytes: Buffer.alloc(0), scope: undefined };
  const foot = file.subarray(-footBytes);
  if (foot.length < footBytes || foot.subarray(0, 8).toString('latin1') !== 'tgblob1\n') return damaged;
  const [sizeBytes, jsonBytes] = [foot.readUIntBE(8, 6), foot.readUInt32BE(14)];
  const blocks = Math.ceil(sizeBytes / blockBytes);
  if (sizeBytes + blocks * 4 + jsonBytes + footBytes !== file.length) return damaged;
  if (crc32c(file.subarray(sizeBytes, file.length - 4)) !== foot.readUInt32BE(18)) return damaged;
  const { scope } = JSON.parse(file.subarray(sizeBytes + blocks * 4, file.length - footBytes).toString()) as {
    readonly scope: string;
  };
  const bytes = file.subarray(0, sizeBytes);
  const isWhole = Array.from({ length: blocks }, (_, at) => at).every(
    (at) => crc32c(bytes.subarray(at * blockBytes, (at + 1) * blockBytes)) === file.readUInt32BE(sizeBytes + at * 4),
  );
  return { isWhole, bytes, scope };
}

async function unfinishedIn(folder: string): Promise<readonly string[]> {
  return filesIn(join(folder, 'writing'));
}

export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

export function md5Of(pieces: readonly Buffer[]): string {
  const hash = createHash('md5');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
