// The ruleset of the lab's firewall, kept in a file and loaded again with the same handles: Tidegate knows a rule by its handle, and a
// device that did not restart does not change them. nft can't set a handle: the kernel counts them up for each table, so
// objects are made in the order of their handles, and what is missing in between is made and deleted.

import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ProgramResult } from '../embedded/run-program.ts';
import { systemErrorCode } from '../embedded/setup-error.ts';
import { inNamespace } from './exec.ts';

/** One object as nft lists it: its kind, and its properties. libnftables-json(5). */
type NftObject = Readonly<Record<string, unknown>>;
type Listed = readonly [kind: string, object: NftObject];

/** A ruleset of 100,000 rules has about 40 MB. */
const mostBytes = 64 * 1024 * 1024;
/** In one transaction of the kernel. */
const mostCommands = 5_000;
const fillerChain = 'tidegate-lab-filler';

/** Writes the namespace's ruleset; throws if it can't be read. */
export async function keepRuleset(namespace: string, path: string): Promise<void> {
  const listed = await inNamespace(namespace, 'nft', ['-j', '-a', '-n', 'list', 'ruleset'], {
    maxOutputBytes: mostBytes,
  });
  if (listed.exitCode !== 0) throw new Error(`the firewall's rules could not be read: ${listed.stderr.trim()}`);
  await writeFile(`${path}.new`, listed.stdout, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Loads the kept ruleset into a namespace that has none. False: none is kept. Throws if it can't be loaded. */
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

/** The commands that make the objects, in batches. A rule can be inserted before another only if that is there already. */
function* transactions(objects: readonly Listed[]): Generator<readonly object[]> {
  let batch: object[] = [];
  const tables = objects.filter(([kind]) => kind === 'table');
  const elements: object[] = [];
  const inserted = insertions(objects);
  for (const [, table] of tables) {
    batch.push(add('table', table));
    let last = 0;
    for (const [kind, object] of inOrderOfHandles(objects, table)) {
      const handle = Number(object.handle);
      batch.push(...fillers(table, handle - last - 1 - setsWithin(object)));
      const next = inserted.get(object);
      if (next !== undefined) {
        yield batch;
        batch = [];
      }
      batch.push(next === undefined ? add(kind, object) : { insert: { rule: { ...plain(object), handle: next } } });
      if (Array.isArray(object.elem)) elements.push(addElements(object));
      last = handle;
      if (batch.length >= mostCommands) {
        yield batch;
        batch = [];
      }
    }
  }
  // Last: an element of a map may refer to a chain.
  yield [...batch, ...elements];
}

function inOrderOfHandles(objects: readonly Listed[], { family, name }: NftObject): Listed[] {
  return objects
    .filter(([kind, object]) => kind !== 'table' && object.family === family && object.table === name)
    .sort(([, one], [, other]) => Number(one.handle) - Number(other.handle));
}

/**
 * For rules with a higher handle than a later one of their chain: the first such handle. They are inserted before that rule, which
 * is there already.
 */
function insertions(objects: readonly Listed[]): ReadonlyMap<NftObject, number> {
  const found = new Map<NftObject, number>();
  const laterByChain = new Map<string, number[]>();
  for (const [kind, object] of objects.toReversed()) {
    if (kind !== 'rule') continue;
    const chain = JSON.stringify([object.family, object.table, object.chain]);
    const later = laterByChain.get(chain) ?? [];
    while ((later.at(-1) ?? 0) > Number(object.handle)) later.pop();
    const next = later.at(-1);
    if (next !== undefined) found.set(object, next);
    later.push(Number(object.handle));
    laterByChain.set(chain, later);
  }
  return found;
}

function add(kind: string, object: NftObject): object {
  return { add: { [kind]: plain(object) } };
}

function plain({ handle: _handle, elem: _elem, ...rest }: NftObject): NftObject {
  return rest;
}

function addElements({ family, table, name, elem }: NftObject): object {
  return { add: { element: { family, table, name, elem } } };
}

/** A chain and its rules take a handle each. */
function* fillers({ family, name: table }: NftObject, count: number): Generator<object> {
  if (count <= 0) return;
  const rule = { family, table, chain: fillerChain, expr: [{ accept: null }] };
  yield { add: { chain: { family, table, name: fillerChain } } };
  for (let made = 1; made < count; made += 1) yield { add: { rule } };
  yield { delete: { chain: { family, table, name: fillerChain } } };
}

/** A set without a name, inside of a rule, takes a handle before the rule. */
function setsWithin(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each: unknown) => sum + setsWithin(each), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) => sum + (key === 'set' && Array.isArray(each) ? 1 : 0) + setsWithin(each),
    0,
  );
}
