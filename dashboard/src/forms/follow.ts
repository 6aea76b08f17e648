// Fields of a draft that follow another one: a listener and its pool refer to each other by name. No DOM here.
import { canonicalJson } from '../../../platform/values/json.ts';
import { type Draft, type DraftObject, isDraftObject } from './draft.ts';
import { layoutOf } from './layout/arrange.ts';

/** The draft after an edit. Dependent fields are updated in it, so that the form and its texts show exactly the input that is sent. */
export function follow(input: string, before: DraftObject, after: DraftObject): DraftObject {
  if (input === 'LoadBalancerCreateInput') return followPools(before, after);
  if (input === 'GslbCreateInput') return followPicked(after);
  return after;
}

function itemsOf(draft: DraftObject, name: string): readonly DraftObject[] {
  const items = draft[name];
  return Array.isArray(items) ? (items as readonly Draft[]).map((each) => (isDraftObject(each) ? each : {})) : [];
}

/** The protocol of a listener's pool. */
function protocolBehind(protocol: Draft | undefined): 'HTTP' | 'TCP' {
  return protocol === 'TCP' || protocol === 'HTTPS' ? 'TCP' : 'HTTP';
}

function followPools(before: DraftObject, after: DraftObject): DraftObject {
  const [oldPools, oldListeners] = [itemsOf(before, 'pools'), itemsOf(before, 'listeners')];
  const named = withNames(itemsOf(after, 'pools'), oldPools.length);
  const [known, old] = [new Set(named.map(({ name }) => name)), new Set(oldPools.map(({ name }) => name))];
  const renamed = new Map<Draft | undefined, Draft | undefined>();
  for (const [at, { name }] of named.entries()) {
    const was = oldPools[at]?.name;
    if (named.length === oldPools.length && !known.has(was) && !old.has(name)) renamed.set(was, name);
  }
  const [only] = named.length === 1 ? named : [];
  const isNew = itemsOf(after, 'listeners').length > oldListeners.length;
  const listeners = itemsOf(after, 'listeners').map((listener, at) => {
    const { defaultPool, ...others } = listener;
    const pool = renamed.get(defaultPool) ?? defaultPool;
    if (pool !== undefined && known.has(pool)) return { ...others, defaultPool: pool };
    const isAdded = isNew && at >= oldListeners.length;
    const isLost = defaultPool !== undefined || isAdded || oldPools.length === 0;
    return only !== undefined && isLost ? { ...others, defaultPool: only.name } : others;
  });
  const pools = named.map((pool, at) => {
    const own = listeners.filter(({ defaultPool }) => defaultPool === pool.name);
    const wanted = new Set(own.map(({ protocol }) => protocolBehind(protocol)));
    const [protocol] = wanted;
    const isAllowed = pool.memberProtocol === protocol || (protocol === 'HTTP' && pool.memberProtocol === 'HTTP2');
    const isOwn = oldPools[at]?.memberProtocol !== pool.memberProtocol;
    if (wanted.size !== 1 || protocol === undefined || isAllowed || (isOwn && pool.memberProtocol !== undefined))
      return pool;
    return { ...pool, memberProtocol: protocol };
  });
  return {
    ...after,
    ...(after.pools === undefined ? {} : { pools }),
    ...(after.listeners === undefined ? {} : { listeners }),
  };
}

/** A listener finds its pool by the name only. `known`: of pools that were there before. */
function withNames(pools: readonly DraftObject[], known: number): readonly DraftObject[] {
  const taken = new Set(pools.map(({ name }) => name));
  return pools.map((pool, at) => {
    const spoken = at < known || pool.memberProtocol !== undefined ? pool : { ...pool, memberProtocol: 'HTTP' };
    if (pool.name !== undefined && pool.name !== '') return spoken;
    const names = [pools.length === 1 ? 'default' : `pool-${at + 1}`, `pool-${at + 1}-new`];
    const name = names.find((each) => !taken.has(each));
    return name === undefined ? spoken : { ...spoken, name };
  });
}

/** A new pool with nothing in it is there only as long as no existing one was picked. */
function followPicked(after: DraftObject): DraftObject {
  const start = layoutOf('GslbCreateInput')?.start?.pools;
  const { pools, ...others } = after;
  const isPicked = Array.isArray(after.poolIds) && (after.poolIds as readonly Draft[]).some((id) => id !== '');
  if (isPicked && canonicalJson((pools ?? null) as never) === canonicalJson(start as never)) return others;
  return after;
}
