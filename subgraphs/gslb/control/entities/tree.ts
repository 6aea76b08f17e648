// A new name with new pools, members and monitors, in one mutation. Pools get their ids before they exist, so that the name's settings
// are complete from the beginning; everything is written in the name's transaction.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { EntityService, PlannedTree } from './entity-service.ts';
import { readNamed, someFlavors } from './entity-store.ts';
import { atPath, refusedAt } from './tree-paths.ts';
import { attachMonitor } from './use-store.ts';

type Input = Readonly<Record<string, unknown>>;

export interface PoolTree extends Input {
  readonly name?: string | null;
  readonly members: readonly Input[];
  readonly monitors?: readonly Input[] | null;
}

export interface TreeServices {
  readonly pools: EntityService<'GslbPool'>;
  readonly members: EntityService<'GslbPoolMember'>;
  readonly monitors: EntityService<'GslbMonitor'>;
}

const mostMembers = 100;
const mostMonitors = 10;
const longestName = 63;

/** Adds the faults of all nodes to `check`, each at its own path. */
export async function planTree(
  { pools, members, monitors }: TreeServices,
  check: InputCheck,
  {
    fqdn,
    projectId,
    trees,
  }: { readonly fqdn: string; readonly projectId: string; readonly trees: readonly PoolTree[] },
): Promise<PlannedTree> {
  const writes: ((tx: Transaction) => Promise<unknown>)[] = [];
  const poolIds: string[] = [];
  for (const [at, { members: newMembers, monitors: newMonitors, ...settings }] of trees.entries()) {
    const path = ['pools', String(at)];
    const name = settings.name ?? poolName(fqdn, at);
    const poolId = newUuid();
    poolIds.push(poolId);
    bounded(check, [...path, 'members'], newMembers.length, 1, mostMembers);
    bounded(check, [...path, 'monitors'], newMonitors?.length ?? 0, 0, mostMonitors);
    const planned = async <Type extends 'GslbPool' | 'GslbPoolMember' | 'GslbMonitor'>(
      service: EntityService<Type>,
      input: Input,
      where: readonly string[],
      place: { readonly projectId: string; readonly poolId?: string },
    ) => {
      const own = new InputCheck();
      const write = await service.plan(own, input, { ...place });
      check.errors.push(...own.errors.map((error) => atPath(error, where)));
      return (tx: Transaction, id: string) => refusedAt(where, () => write?.(tx, id) ?? Promise.resolve());
    };
    const writePool = await planned(pools, { ...settings, name }, path, { projectId });
    writes.push((tx) => writePool(tx, poolId));
    const names = new Set<string>();
    for (const [number, monitor] of (newMonitors ?? []).slice(0, mostMonitors).entries()) {
      const type = String(monitor.checkType).toLowerCase().replaceAll('_', '-');
      const usual = `${name.slice(0, longestName - type.length - 4)}-${type}`;
      const input = { ...monitor, name: monitor.name ?? (names.has(usual) ? `${usual}-${number + 1}` : usual) };
      names.add(String(input.name));
      const write = await planned(monitors, input, [...path, 'monitors', String(number)], { projectId });
      writes.push(async (tx) => {
        const equal = await monitors.equalTo(tx, projectId, input);
        const id = equal ?? newUuid();
        if (equal === undefined) await write(tx, id);
        await attachMonitor(tx, id, { poolId });
      });
    }
    for (const [number, member] of newMembers.slice(0, mostMembers).entries()) {
      const input = { ...member, name: member.name ?? `member-${number + 1}` };
      const write = await planned(members, input, [...path, 'members', String(number)], { projectId, poolId });
      writes.push((tx) => write(tx, newUuid()));
    }
  }
  return {
    poolIds,
    async write(tx) {
      for (const write of writes) await write(tx);
    },
  };
}

/** UUID of the flavor for a name without one: the only flavor, or the one named default. */
export async function usualFlavor(db: Database): Promise<string | undefined> {
  const [only, another] = await someFlavors(db);
  return another === undefined ? only : (await readNamed(db, 'GslbFlavor', ['default'])).get('default')?.id;
}

/** Explains why there is no default flavor. */
export async function whyNoFlavor(db: Database): Promise<string> {
  const [some] = await someFlavors(db);
  return some === undefined
    ? 'there is none yet; an administrator creates one (gslbFlavorCreate)'
    : 'there are several, and none is named default';
}

function poolName(fqdn: string, at: number): string {
  const words = fqdn
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\*/, 'any')
    .replaceAll(/[^a-z0-9]+/g, '-');
  const name = words.slice(0, longestName - 4).replaceAll(/^-+|-+$/g, '') || 'pool';
  return at === 0 ? name : `${name}-${at + 1}`;
}

function bounded(check: InputCheck, path: readonly string[], length: number, min: number, max: number): void {
  const field = path.join('.');
  if (length < min) check.fault(field, `${field} has ${length} entries; at least ${min} are needed`);
  if (length > max) check.fault(field, `${field} has ${length} entries; at most ${max} are allowed`, 'TOO_LONG');
}
