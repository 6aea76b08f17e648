// A key is rotated in three steps, each refused until the previous one is done everywhere: the new key is published, it becomes
// active, the old one is removed. Values in transit are therefore always signed with a key that everyone knows.
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Database } from '../database/database.ts';
import { newKeyId, readKeyFile, writeKeyFile } from '../secrets/key-file.ts';
import { type KeyFileName, keyFilePath } from '../secrets/key-folder.ts';
import {
  newKeyPair,
  type PublicFile,
  readPublicFile,
  type Signer,
  signers,
  signingFileShape,
} from '../secrets/key-pairs.ts';
import { keyringShape, newMasterKey } from '../secrets/keyring.ts';
import { type KeyHolder, keyHolders, setActiveKey } from './known-keys.ts';

const minuteMs = 60_000;

/**
 * How long after its last use an old key is removed; a file without a time here keeps its old keys, because the values made with
 * them are kept too.
 */
const quietMs: Readonly<Partial<Record<KeyFileName, number>>> = {
  gateway: 5 * minuteMs,
  // An access token lives for a quarter of an hour.
  system: 20 * minuteMs,
  // A commit token is answered for seven days.
  subgraphs: 8 * 24 * 60 * minuteMs,
};
/** A process that still uses an old key is noticed within this time. */
const mostWatchMs = 20 * minuteMs;
/** A process reports every 10 s which keys it knows. */
const silentMs = 30_000;

export type RotationStep =
  | { readonly step: 'announced' | 'activated'; readonly id: string }
  | { readonly step: 'retired'; readonly ids: readonly string[] };

/** Why the next step must wait. */
class RotationRefusal extends Error {}

/** A key that will become active. */
export interface NewKey {
  /** The file that distributes the key to the processes that need it, and its content. */
  readonly file: string;
  readonly text: string;
  /** The key itself, if it seals. */
  readonly sealing?: string | undefined;
}

interface RotateOptions {
  /** FOLDER/NAME.keys. */
  readonly path: string;
  /** Opened when a step needs the reports of the processes. */
  readonly database: () => Database;
  /** Names of processes that were permanently removed. */
  readonly without?: readonly string[];
  /** Returns the hosts of the database that do not have the key. Undefined if the database has no hosts of its own. */
  readonly hostsLacking?: ((key: NewKey) => Promise<readonly string[]>) | undefined;
  /** Replaces the default time of the file. */
  readonly quietMs?: number;
}

interface File {
  readonly active: string;
  readonly next?: string | undefined;
  readonly activeSince?: string | undefined;
  readonly keys: Readonly<Record<string, string>>;
}

/** Takes the next step. Throws RotationRefusal when it is too early. */
export async function rotateKeys(options: RotateOptions): Promise<RotationStep> {
  const name = nameOf(options.path);
  const file: File = await readKeyFile(options.path, isSigner(name) ? signingFileShape : keyringShape);
  if (file.next !== undefined) return activate(options, name, file, file.next);
  const old = Object.keys(file.keys).filter((id) => id !== file.active);
  const quiet = options.quietMs ?? quietMs[name];
  return old.length > 0 && quiet !== undefined
    ? retire(options, name, file, old, quiet)
    : announce(options, name, file);
}

async function announce({ path }: RotateOptions, name: KeyFileName, file: File): Promise<RotationStep> {
  // Also those of an announcement that was interrupted: the public key may have been copied already.
  const published = isSigner(name) ? Object.keys((await readPublic(path))[name]) : [];
  const id = newKeyId([...Object.keys(file.keys), ...published]);
  if (!isSigner(name)) {
    await writeKeyFile(path, { ...file, next: id, keys: { ...file.keys, [id]: newMasterKey() } });
    return { step: 'announced', id };
  }
  const { privateText, publicText } = newKeyPair();
  await editPublic(path, name, (keys) => ({ ...keys, [id]: publicText }));
  await writeKeyFile(path, { ...file, next: id, keys: { ...file.keys, [id]: privateText } });
  return { step: 'announced', id };
}

async function activate(options: RotateOptions, name: KeyFileName, file: File, id: string): Promise<RotationStep> {
  const path = isSigner(name) ? keyFilePath(dirname(options.path), 'public') : options.path;
  const brings = basename(path);
  const sealing = name === 'sealing' ? file.keys[id] : undefined;
  const hosts = (await options.hostsLacking?.({ file: brings, text: await readFile(path, 'utf8'), sealing })) ?? [];
  if (hosts.length > 0)
    throw new RotationRefusal(
      `${id} is not yet on ${hosts.length === 1 ? 'the host' : 'the hosts'} ${hosts.join(', ')}: copy ${brings} there, into the keys.folder of its "tidegate ha agent"; it is seen within seconds. A host that is away is waited for, until "tidegate ha leave"`,
    );
  await options.database().transaction(async (tx) => {
    await setActiveKey(tx, name, id);
    const unaware = await holders(tx, name, options);
    const lacking = unaware.filter(({ keys }) => !(`${name}/${id}` in keys)).map((holder) => holder.name);
    if (lacking.length > 0)
      throw new RotationRefusal(
        `${id} is not yet known to ${lacking.join(', ')}: copy ${brings} there; it is read within seconds`,
      );
  });
  const { next: _, ...rest } = file;
  await writeKeyFile(options.path, { ...rest, active: id, activeSince: new Date().toISOString() });
  return { step: 'activated', id };
}

async function retire(
  options: RotateOptions,
  name: KeyFileName,
  file: File,
  ids: readonly string[],
  quiet: number,
): Promise<RotationStep> {
  const watchMs = Math.min(quiet, mostWatchMs);
  const wait = (reason: string) => new RotationRefusal(`${ids.join(', ')} can't be removed yet: ${reason}`);
  const activeMs = Date.now() - Date.parse(file.activeSince ?? new Date().toISOString());
  if (activeMs < quiet)
    throw wait(
      `${file.active} has been active for ${minutes(activeMs)}; what the old key made is valid for ${minutes(quiet)}`,
    );
  await options.database().transaction(async (tx) => {
    for (const holder of await holders(tx, name, options)) {
      if (holder.startedAgoMs < watchMs)
        throw wait(
          `${holder.name} has been running for only ${minutes(holder.startedAgoMs)}, too short to know that the key is unused`,
        );
      for (const id of ids) {
        const usedAtMs = holder.keys[`${name}/${id}`] ?? undefined;
        if (usedAtMs !== undefined && Date.now() - usedAtMs < watchMs)
          throw wait(
            `${holder.name} saw ${id} used ${minutes(Date.now() - usedAtMs)} ago; does every host of the role have the new ${basename(options.path)}?`,
          );
      }
    }
  });
  const left = (keys: File['keys']) => Object.fromEntries(Object.entries(keys).filter(([id]) => !ids.includes(id)));
  await writeKeyFile(options.path, { ...file, keys: left(file.keys) });
  if (isSigner(name)) await editPublic(options.path, name, left);
  return { step: 'retired', ids };
}

/**
 * The live processes that have the file; throws when one has not reported lately and was not restarted under the same name.
 */
async function holders(
  tx: Parameters<typeof keyHolders>[0],
  name: KeyFileName,
  { without = [] }: RotateOptions,
): Promise<readonly KeyHolder[]> {
  const all = await keyHolders(tx, name);
  const here = all.filter(({ seenAgoMs }) => seenAgoMs <= silentMs);
  const isBack = (gone: KeyHolder) =>
    here.some((holder) => holder.name === gone.name && holder.startedAgoMs < gone.seenAgoMs);
  const silent = all.find((holder) => !here.includes(holder) && !isBack(holder) && !without.includes(holder.name));
  if (silent !== undefined)
    throw new RotationRefusal(
      `${silent.name} was last seen ${minutes(silent.seenAgoMs)} ago: start it, or give --without ${silent.name} if it has ended permanently`,
    );
  return here;
}

/** `path`: of a signer's file, which has the public keys beside it. */
function readPublic(path: string): Promise<PublicFile> {
  return readPublicFile(keyFilePath(dirname(path), 'public'));
}

async function editPublic(path: string, signer: Signer, change: (keys: File['keys']) => File['keys']): Promise<void> {
  const known = await readPublic(path);
  await writeKeyFile(keyFilePath(dirname(path), 'public'), { ...known, [signer]: change(known[signer]) }, 0o644);
}

function nameOf(path: string): KeyFileName {
  const name = basename(path, '.keys');
  const names: readonly KeyFileName[] = [...signers, 'subgraphs', 'sealing'];
  const known = names.find((each) => each === name);
  if (known === undefined)
    throw new RotationRefusal(`${path} is not one of ${names.map((each) => `${each}.keys`).join(', ')}`);
  return known;
}

function isSigner(name: KeyFileName): name is Signer {
  return signers.some((signer) => signer === name);
}

function minutes(ms: number): string {
  return ms < 2 * minuteMs ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / minuteMs)} min`;
}
