// Writes parts inside the transaction of a change, under the lock of their load balancer.

import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { uniqueWords } from '../../../../platform/graph/described/kind.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import { wordsOf } from '../../spec/graph-text.ts';
import { type PartKind, type PartName, type PartSpec, partNames } from '../../spec/part-kind.ts';
import { partKinds } from '../../spec/parts.ts';
import {
  countParts,
  deleteParts,
  insertParts,
  lockPart,
  type NewPart,
  type PartRow,
  readChildren,
  readParts,
  referencesTo,
  setReferences,
  updatePart,
} from '../stores/part-store.ts';
import { type Quotas, quotaOfPart } from '../stores/quotas.ts';
import { refuseTooLarge } from '../stores/tree-size.ts';
import { checkReferences, type Placed, referenceRows } from './references.ts';
import type { TreePart } from './tree.ts';

/** Smaller growth, such as a weight or a timeout, is not measured. */
const smallBytes = 64;

type Owner = Pick<BalancerRow, 'id' | 'projectId'>;

/** Returns its UUID. */
export async function insertPart(
  tx: Transaction,
  quotas: Quotas,
  kind: PartKind,
  balancer: Owner,
  parentId: string,
  spec: PartSpec,
  generation: number,
): Promise<string> {
  const parent = kind.parent === 'LoadBalancer' ? undefined : await lockPart(tx, parentId);
  if (kind.parent !== 'LoadBalancer' && parent === undefined)
    refuse('NOT_FOUND', `the ${wordsOf(kind.parent)} was deleted`, { field: ['input', parentField(kind)] });
  const count = await countParts(tx, kind.name, { parentId });
  if (count >= kind.most)
    refuse(
      'LIMIT_REACHED',
      `the ${wordsOf(kind.parent)} has ${count} of at most ${kind.most} of these: delete one first`,
    );
  const quota = quotaOfPart[kind.name];
  if (quota !== undefined) await quotas.take(tx, balancer.projectId, { [quota]: 1 });
  const part = newPart(kind, balancer, parentId, spec, generation);
  await refuseReferences(tx, balancer, [{ kind, spec, parentSpec: parent?.spec, at: [] }]);
  if (!(await insertParts(tx, [part]))) refuseDuplicate(kind, spec);
  await setReferences(tx, [], referenceRows(kind, part.id, spec));
  await refuseTooLarge(tx, balancer.id);
  return part.id;
}

/** Inserts parts that refer only to each other and to certificates. */
export async function insertTree(tx: Transaction, balancer: Owner, parts: readonly TreePart[]): Promise<void> {
  if (!(await insertParts(tx, parts))) throw new Error('two parts of a tree have the same unique key');
  const check = new InputCheck();
  await checkTreeReferences(tx, check, balancer, parts, true);
  check.throwIfAny();
  const references = parts.flatMap((part) => referenceRows(partKinds[part.kind], part.id, part.spec));
  await setReferences(tx, [], references);
  await refuseTooLarge(tx, balancer.id);
}

/** Adds a fault for each reference to something that does not exist or fit. `locked`: called in the transaction that writes the tree. */
export function checkTreeReferences(
  sql: Sql,
  check: InputCheck,
  balancer: Owner,
  parts: readonly TreePart[],
  locked: boolean,
): Promise<void> {
  const placed = parts.map(({ kind, ...part }) => ({ ...part, kind: partKinds[kind] }));
  const newPools = new Map(parts.filter(({ kind }) => kind === 'Pool').map(({ id, spec }) => [id, spec]));
  return checkReferences(sql, check, placed, { balancer, newPools, locked });
}

/** Writes new settings of a part. `before`: the previous ones. */
export async function writePart(
  tx: Transaction,
  kind: PartKind,
  balancer: Owner,
  part: Pick<PartRow, 'id' | 'parentId' | 'spec' | 'drainUntil' | 'generation'>,
  before: PartSpec,
): Promise<void> {
  const parent = kind.parent === 'LoadBalancer' ? undefined : (await readParts(tx, [part.parentId])).get(part.parentId);
  await refuseReferences(tx, balancer, [{ kind, spec: part.spec, parentSpec: parent?.spec, at: [] }]);
  if (!(await updatePart(tx, { ...part, uniqueKey: kind.unique?.(part.spec) }))) refuseDuplicate(kind, part.spec);
  await setReferences(tx, [part.id], referenceRows(kind, part.id, part.spec));
  if (JSON.stringify(part.spec).length > JSON.stringify(before).length + smallBytes)
    await refuseTooLarge(tx, balancer.id);
}

/** Includes everything below it. */
export async function deletePart(tx: Transaction, part: PartRow, generation: number): Promise<void> {
  const ids = await withDescendants(tx, part);
  await refuseInUse(tx, ids, wordsOf(part.kind));
  await deleteParts(tx, ids, generation);
}

/** Replaces the pool's members, matched by unique key: members are created, changed or deleted. */
export async function replaceMembers(
  tx: Transaction,
  quotas: Quotas,
  balancer: Owner,
  poolId: string,
  specs: ReadonlyMap<string, PartSpec>,
  generation: number,
): Promise<void> {
  const kind = partKinds.PoolMember;
  const keyOf = ({ spec }: PartRow) => kind.unique?.(spec) ?? '';
  const before = (await readChildren(tx, 'PoolMember', [poolId])).get(poolId) ?? [];
  const byKey = new Map(before.map((row) => [keyOf(row), row]));
  const removed = before.filter((row) => !specs.has(keyOf(row))).map(({ id }) => id);
  await deleteParts(tx, removed, generation);
  const added: NewPart[] = [];
  for (const [uniqueKey, spec] of specs) {
    const row = byKey.get(uniqueKey);
    if (row === undefined) added.push(newPart(kind, balancer, poolId, spec, generation));
    else if (JSON.stringify(row.spec) !== JSON.stringify(spec))
      await updatePart(tx, { id: row.id, spec, drainUntil: row.drainUntil, generation, uniqueKey });
  }
  await quotas.take(tx, balancer.projectId, { MEMBERS: added.length });
  await insertParts(tx, added);
  await refuseTooLarge(tx, balancer.id);
}

/** The input field that names the parent. */
export function parentField({ parent }: PartKind): string {
  return `${parent.charAt(0).toLowerCase()}${parent.slice(1)}Id`;
}

function newPart(
  kind: PartKind,
  { id: loadBalancerId, projectId }: Owner,
  parentId: string,
  spec: PartSpec,
  generation: number,
): NewPart {
  const uniqueKey = kind.unique?.(spec);
  return { id: newUuid(), projectId, loadBalancerId, parentId, kind: kind.name, spec, generation, uniqueKey };
}

async function refuseReferences(tx: Transaction, balancer: Owner, placed: readonly Placed[]): Promise<void> {
  const check = new InputCheck();
  await checkReferences(tx, check, placed, { balancer, locked: true });
  check.throwIfAny();
}

/** UUIDs of the part and of all parts below it. */
async function withDescendants(tx: Transaction, part: PartRow): Promise<string[]> {
  const ids = [part.id];
  for (let parents: readonly PartRow[] = [part]; parents.length > 0; ) {
    const above = new Set(parents.map(({ kind }) => kind));
    const parentIds = parents.map(({ id }) => id);
    const below: PartRow[] = [];
    for (const name of partNames.filter((each) => above.has(partKinds[each].parent as PartName)))
      below.push(...[...(await readChildren(tx, name, parentIds)).values()].flat());
    ids.push(...below.map(({ id }) => id));
    parents = below;
  }
  return ids;
}

async function refuseInUse(tx: Transaction, ids: readonly string[], what: string): Promise<void> {
  const [first] = await referencesTo(tx, ids);
  if (first === undefined) return;
  const user = (await readParts(tx, [first.partId])).get(first.partId);
  const name = user === undefined ? 'another part' : `the ${wordsOf(user.kind)} ${encodeId(user.kind, user.id)}`;
  refuse('IN_USE', `the ${what} is the ${first.field} of ${name}: change that first`, { field: ['input', 'id'] });
}

function refuseDuplicate(kind: PartKind, spec: PartSpec): never {
  const [field] = kind.uniqueFields ?? [];

  refuse(
    'ALREADY_EXISTS',
    `the ${wordsOf(kind.parent)} already has a ${wordsOf(kind.name)} with ${uniqueWords(kind, spec)}`,
    {
      field: ['input', ...(field === undefined ? [] : [field])],
    },
  );
}
