// The ruleset of the lab's firewall. It is kept in a file, and loaded again like the ruleset of a rebooting firewall: in the same order, with new
// handles.

import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ProgramResult } from '../embedded/run-program.ts';
import { systemErrorCode } from '../embedded/setup-error.ts';
import { inNamespace } from './exec.ts';

/** One object in nft's output: its kind, and its properties. libnftables-json(5). */
type NftObject = Readonly<Record<string, unknown>>;
type Listed = readonly [kind: string, object: NftObject];

/** A ruleset of 100,000 rules has about 40 MB. */
const mostBytes = 64 * 1024 * 1024;
/** Limit of one transaction in the kernel. */
const mostCommands = 5_000;

/** Writes the namespace's ruleset. Throws if it can't be read. */
export async function keepRuleset(namespace: string, path: string): Promise<void> {
  const listed = await inNamespace(namespace, 'nft', ['-j', '-n', 'list', 'ruleset'], {
    maxOutputBytes: mostBytes,
  });
  if (listed.exitCode !== 0) throw new Error(`the firewall's rules could not be read: ${listed.stderr.trim()}`);
  await writeFile(`${path}.new`, listed.stdout, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Loads the kept ruleset into a namespace that has none. False if none is kept. Throws if it can't be loaded. */
export async function loadRuleset(namespace: string, path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return false;
  for (const commands of transactions(objectsIn(text))) {
    const loaded = await load(namespace, JSON.stringify({ nftables: commands }));
    if (loaded.exitCode !== 0) throw new Error(loaded.stderr.trim().slice(0, 500));
  }
  return true;
}

/** nft opens its input by name, which is possible with a pipe and not with the socket that Node gives a child. */
function load(namespace: string, input: string): Promise<ProgramResult> {
  return inNamespace(namespace, 'sh', ['-c', 'cat | nft -j -f -'], { input });
}

function objectsIn(text: string): Listed[] {
  const { nftables } = JSON.parse(text) as { nftables: Readonly<Record<string, NftObject>>[] };
  return nftables.flatMap((each) => Object.entries(each)).filter(([kind]) => kind !== 'metainfo');
}

/** The commands that create the objects, in batches: referenced objects come first, and rules stay in order. */
function* transactions(objects: readonly Listed[]): Generator<readonly object[]> {
  const isRule = ([kind]: Listed) => kind === 'rule';
  const commands = [
    ...objects.filter(([kind]) => kind === 'table'),
    ...objects.filter((each) => each[0] !== 'table' && !isRule(each)),
    ...objects.filter(isRule),
  ].map(([kind, object]) => add(kind, object));
  // Last: an element of a map may refer to a chain.
  const elements = objects.flatMap(([, object]) => (Array.isArray(object.elem) ? [addElements(object)] : []));
  const all = [...commands, ...elements];
  for (let start = 0; start < all.length; start += mostCommands) yield all.slice(start, start + mostCommands);
}

function add(kind: string, { handle: _handle, elem: _elem, ...rest }: NftObject): object {
  return { add: { [kind]: rest } };
}

function addElements({ family, table, name, elem }: NftObject): object {
  return { add: { element: { family, table, name, elem } } };
}
