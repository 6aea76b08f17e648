// What a backup says of itself: `manifest.json`, written once, and `log.json`, which grows with the archived binary log.
import { z } from 'zod';
import { fault } from './faults.ts';

export const formatVersion = 1;
export const manifestName = 'manifest.json';
export const logIndexName = 'log.json';
export const logFolderName = 'log';
export const dataName = 'data.mbstream.zst.age';
export const verifiedName = 'verified.json';

const sum = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

const fileShape = z.object({ bytes: z.number().int().positive(), sha256: sum });
export type StoredFile = z.output<typeof fileShape>;

export const manifestShape = z.object({
  format: z.literal(formatVersion),
  product: z.object({ version: z.string(), commit: z.string().optional() }),
  /** UUID of the database's first history. */
  installation: z.string(),
  server: z.object({ version: z.string(), host: z.string() }),
  database: z.string(),
  migrations: z.array(z.object({ name: z.string(), expands: z.boolean() })),
  timeline: z.object({ epoch: z.number().int(), history: z.string() }),
  /** Position at the end of the copy. Null if the server has no binary log. */
  gtid: z.string().nullable(),
  audit: z.object({ position: z.number().int(), hash: z.string() }),
  /** Fingerprint by `FILE/ID`. */
  keys: z.record(z.string(), z.string()),
  startedAt: time,
  /** Everything that was committed before is in the copy or its log, and nothing that began later is in the copy. */
  copiedAt: time,
  /** Time of the newest acknowledged write when the copy began. Null if there was none. */
  newestWriteAt: time.nullable(),
  /** Bytes of the unpacked copy. */
  dataBytes: z.number().int().positive(),
  data: fileShape,
});
export type Manifest = z.output<typeof manifestShape>;

const pieceShape = fileShape.extend({
  name: z.string().regex(/^\d{6}\.age$/),
  /** Bytes of the binary log in it. */
  logBytes: z.number().int().positive(),
  first: z.string(),
  last: z.string(),
  /** Unix seconds of its newest transaction. */
  newestSeconds: z.number().int(),
});
export type LogPiece = z.output<typeof pieceShape>;

export const logIndexShape = z.object({
  format: z.literal(formatVersion),
  /** SHA-256 of the manifest. */
  manifest: sum,
  pieces: z.array(pieceShape),
  /** Everything that was committed before is archived. */
  coveredUntil: time,
});
export type LogIndex = z.output<typeof logIndexShape>;

/** Throws BackupFaults unless the key files have the keys that seal this installation's secrets. `own`: fingerprints of the key files. */
export function requireSameKeys(manifest: Manifest, own: Readonly<Record<string, string>>): void {
  const sealing = Object.entries(manifest.keys).filter(([name]) => name.startsWith('sealing/'));
  const faults = sealing.flatMap(([name, fingerprint]) => {
    if (own[name] === undefined) return [`the key files lack the key ${name} of the backup: give newer ones`];
    return own[name] === fingerprint
      ? []
      : [`the key ${name} of the backup is another one: the backup or the key files are of another installation`];
  });
  if (faults.length > 0) fault(...faults);
}
