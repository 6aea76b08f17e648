// The DNSSEC keys of a zone over time. Pure: takes the stored keys and returns the new ones, which are stored with the zone.
//
// - One entry key (flags 257), which the parent's DS record names and which signs the keys, and one plain key (256), which signs the rest.
// - A plain key is replaced by pre-publication (RFC 6781 section 4.1.1.1): PUBLISHED until every resolver can have the key set with it,
//   ACTIVE, then RETIRED until no resolver has a signature of the key.
// - An entry key is replaced by double signature (section 4.1.2): both are ACTIVE, and the older one is removed when the parent has named
//   only the newer one for as long as its DS record may be cached. Only a person knows which key the parent names, so nothing here starts
//   or ends such a rollover on its own.
import { dsText, makeKey } from '../../../../dns/answerer/dnssec/keys.ts';
import type { DnssecKeyPlan } from '../../../../dns/policy/plan.ts';

type KeyState = 'PUBLISHED' | 'ACTIVE' | 'RETIRED';

/** `active` in a plan corresponds to the state ACTIVE here. */
export interface ZoneKey extends DnssecKeyPlan {
  readonly state: KeyState;
  /** When it entered this state, by the database's clock. */
  readonly sinceMs: number;
  /** Since when the parent names only this entry key. Null if unknown. */
  readonly namedSinceMs: number | null;
}

export interface KeyRule {
  /** Lifetime of a plain key. Null if it signs until a person requests another one. */
  readonly plainMs: number | null;
  /** The longest TTL in the zone, including its keys. */
  readonly ttlMs: number;
  /** Time until every name server has a change, including one that was away for a while. */
  readonly spreadMs: number;
  /** TTL of the parent's DS record. */
  readonly parentTtlMs: number;
}

interface Rolled {
  /** The same list when nothing is due. */
  readonly keys: readonly ZoneKey[];
  /** Time of the next step. Null if none is due without a request. */
  readonly dueMs: number | null;
}

type MakeKey = typeof makeKey;

const entryFlags = 257;
const plainFlags = 256;

/** Keys of a zone that is signed from now on. */
export function firstKeys(nowMs: number, make: MakeKey = makeKey): readonly ZoneKey[] {
  const entry = newKey([], entryFlags, 'ACTIVE', nowMs, make);
  return [entry, newKey([entry], plainFlags, 'ACTIVE', nowMs, make)];
}

/** The steps that depend on time alone. */
export function rollKeys(keys: readonly ZoneKey[], nowMs: number, rule: KeyRule, make: MakeKey = makeKey): Rolled {
  const heldMs = rule.ttlMs + rule.spreadMs;
  let next = keys;
  const coming = keys.find(({ state }) => state === 'PUBLISHED');
  if (coming !== undefined && nowMs >= coming.sinceMs + heldMs)
    next = next.map((key) => {
      if (key === coming) return moved(key, 'ACTIVE', nowMs);
      return isPlain(key) && key.state === 'ACTIVE' ? moved(key, 'RETIRED', nowMs) : key;
    });
  next = without(next, (key) => key.state === 'RETIRED' && nowMs >= key.sinceMs + heldMs);
  const named = next.find(({ namedSinceMs }) => namedSinceMs !== null && nowMs >= namedSinceMs + rule.parentTtlMs);
  if (named !== undefined)
    next = without(next, (key) => !isPlain(key) && key !== named && key.sinceMs <= named.sinceMs);
  const plain = next.find((key) => isPlain(key) && key.state === 'ACTIVE');
  // While a key is being retired, no new one is prepared: each rollover ends before the next.
  const isDue = plain !== undefined && rule.plainMs !== null && nowMs >= plain.sinceMs + rule.plainMs - heldMs;
  if (isDue && next.every(({ state }) => state === 'ACTIVE')) next = withNextPlain(next, nowMs, make);
  return { keys: next, dueMs: dueOf(next, rule) };
}

/** A person requests another plain key, for example after a leak. Unchanged during a rollover. */
export function withNextPlain(keys: readonly ZoneKey[], nowMs: number, make: MakeKey = makeKey): readonly ZoneKey[] {
  if (keys.some(({ state }) => state !== 'ACTIVE')) return keys;
  return [...keys, newKey(keys, plainFlags, 'PUBLISHED', nowMs, make)];
}

/** A person asks for another entry key. Unchanged while there are two. */
export function withNextEntry(keys: readonly ZoneKey[], nowMs: number, make: MakeKey = makeKey): readonly ZoneKey[] {
  if (keys.filter((key) => !isPlain(key)).length > 1) return keys;
  return [...keys, newKey(keys, entryFlags, 'ACTIVE', nowMs, make)];
}

/** A person withdraws the new entry key. Undefined if there is none, or the parent may name it already. */
export function withoutNextEntry(
  keys: readonly ZoneKey[],
  nowMs: number,
  rule: KeyRule,
): readonly ZoneKey[] | undefined {
  const [newest, ...others] = keys.filter((key) => !isPlain(key)).toSorted((one, other) => other.sinceMs - one.sinceMs);
  if (newest === undefined || others.length === 0 || isNameable(keys, newest.keyTag, nowMs, rule)) return undefined;
  return keys.filter((key) => key !== newest);
}

/** When the parent may name an entry key, in ms since 1970. */
export function nameableAtMs({ sinceMs }: Pick<ZoneKey, 'sinceMs'>, { ttlMs, spreadMs }: KeyRule): number {
  return sinceMs + ttlMs + spreadMs;
}

/** A person confirms that the parent names only this entry key. Undefined if the parent must not do so yet, or there is no such key. */
export function namedByParent(
  keys: readonly ZoneKey[],
  keyTag: number,
  nowMs: number,
  rule: KeyRule,
): readonly ZoneKey[] | undefined {
  if (!isNameable(keys, keyTag, nowMs, rule)) return undefined;
  return keys.map((key) => (isPlain(key) ? key : { ...key, namedSinceMs: key.keyTag === keyTag ? nowMs : null }));
}

/** The DS records that the parent should publish: those of the newest entry key that every resolver can have. `zone`: with the final dot. */
export function dsTexts(zone: string, keys: readonly ZoneKey[], nowMs: number, rule: KeyRule): readonly string[] {
  const entries = keys.filter((key) => !isPlain(key));
  const known = entries.filter(({ keyTag }) => isNameable(keys, keyTag, nowMs, rule));
  const newest = known.toSorted((one, other) => other.sinceMs - one.sinceMs)[0];
  return newest === undefined ? [] : [dsText(zone, newest)];
}

/** Keys for the zone's plan. */
export function keyPlans(keys: readonly ZoneKey[]): readonly DnssecKeyPlan[] {
  return keys.map(({ state, sinceMs: _since, namedSinceMs: _named, ...plan }) => ({
    ...plan,
    active: state === 'ACTIVE',
  }));
}

/**
 * Whether every resolver that asks for the keys can have it. A zone's oldest entry key existed before any DS record, so nobody has to wait for it.
 */
function isNameable(keys: readonly ZoneKey[], keyTag: number, nowMs: number, rule: KeyRule): boolean {
  const entries = keys.filter((key) => !isPlain(key));
  const key = entries.find((each) => each.keyTag === keyTag);
  if (key === undefined) return false;
  return entries.every(({ sinceMs }) => sinceMs >= key.sinceMs) || nowMs >= nameableAtMs(key, rule);
}

function dueOf(keys: readonly ZoneKey[], { plainMs, ttlMs, spreadMs, parentTtlMs }: KeyRule): number | null {
  const heldMs = ttlMs + spreadMs;
  const entries = keys.filter((key) => !isPlain(key));
  const isQuiet = keys.every(({ state }) => state === 'ACTIVE');
  const times = keys.flatMap((key): number[] => {
    if (key.state !== 'ACTIVE') return [key.sinceMs + heldMs];
    if (isPlain(key)) return isQuiet && plainMs !== null ? [key.sinceMs + plainMs - heldMs] : [];
    return entries.length > 1 && key.namedSinceMs !== null ? [key.namedSinceMs + parentTtlMs] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}

function newKey(
  keys: readonly ZoneKey[],
  flags: DnssecKeyPlan['flags'],
  state: KeyState,
  nowMs: number,
  make: MakeKey,
): ZoneKey {
  for (;;) {
    const plan = make(flags, state === 'ACTIVE');
    // Two keys with the same tag cost resolvers a second attempt for each signature.
    if (keys.every(({ keyTag }) => keyTag !== plan.keyTag))
      return { ...plan, state, sinceMs: nowMs, namedSinceMs: null };
  }
}

function moved(key: ZoneKey, state: KeyState, nowMs: number): ZoneKey {
  return { ...key, state, active: state === 'ACTIVE', sinceMs: nowMs };
}

/** The same list when all stay. */
function without(keys: readonly ZoneKey[], leaves: (key: ZoneKey) => boolean): readonly ZoneKey[] {
  const kept = keys.filter((key) => !leaves(key));
  return kept.length === keys.length ? keys : kept;
}

function isPlain({ flags }: Pick<DnssecKeyPlan, 'flags'>): boolean {
  return flags === plainFlags;
}
