// The keys of a zone over time. Whatever keys a resolver has cached, it can verify the answers it gets.
import { expect, test } from '@jest/globals';
import { dsText, makeKey } from '../../../../../dns/answerer/dnssec/keys.ts';
import {
  dsTexts,
  firstKeys,
  type KeyRule,
  keyPlans,
  namedByParent,
  rollKeys,
  withNextEntry,
  withNextPlain,
  type ZoneKey,
} from '../../../../../subgraphs/gslb/control/stores/zone-keys.ts';

const hourMs = 3_600_000;
const rule: KeyRule = { plainMs: 720 * hourMs, ttlMs: hourMs, spreadMs: 24 * hourMs, parentTtlMs: 48 * hourMs };
const heldMs = rule.ttlMs + rule.spreadMs;

const tags = (keys: readonly ZoneKey[], matches: (key: ZoneKey) => boolean) =>
  keys.filter(matches).map(({ keyTag }) => keyTag);
const states = (keys: readonly ZoneKey[]) => keys.map(({ flags, state }) => `${flags} ${state}`);

test('a zone begins with one key for its parent and one for its records', () => {
  const keys = firstKeys(0);
  expect(states(keys)).toEqual(['257 ACTIVE', '256 ACTIVE']);
  expect(keyPlans(keys)).toEqual(
    keys.map(({ state: _state, sinceMs: _since, namedSinceMs: _named, ...plan }) => ({ ...plan, active: true })),
  );
  const [entry] = keys as [ZoneKey];
  expect(dsTexts('z.test.', keys, 0, rule)).toEqual([dsText('z.test.', entry)]);
  expect(rollKeys(keys, 1, rule)).toEqual({ keys, dueMs: rule.plainMs === null ? null : rule.plainMs - heldMs });
});

test('a plain key is published, signs, is retired and is removed', () => {
  const keys = firstKeys(0);
  let { keys: next, dueMs } = rollKeys(keys, 695 * hourMs, rule);
  expect(states(next)).toEqual(['257 ACTIVE', '256 ACTIVE', '256 PUBLISHED']);
  expect(keyPlans(next).map(({ active }) => active)).toEqual([true, true, false]);
  expect(dueMs).toBe(720 * hourMs);
  expect(rollKeys(next, 720 * hourMs - 1, rule).keys).toBe(next);
  ({ keys: next, dueMs } = rollKeys(next, 720 * hourMs, rule));
  expect(states(next)).toEqual(['257 ACTIVE', '256 RETIRED', '256 ACTIVE']);
  expect(dueMs).toBe(745 * hourMs);
  ({ keys: next, dueMs } = rollKeys(next, 745 * hourMs, rule));
  expect(states(next)).toEqual(['257 ACTIVE', '256 ACTIVE']);
  expect(next[1]?.keyTag).not.toBe(keys[1]?.keyTag);
  expect(dueMs).toBe((720 + 695) * hourMs);
});

test('without a lifetime only a user can start a roll, one at a time', () => {
  const forEver = { ...rule, plainMs: null };
  const keys = firstKeys(0);
  expect(rollKeys(keys, 1e15, forEver)).toEqual({ keys, dueMs: null });
  const asked = withNextPlain(keys, 5);
  expect(states(asked)).toEqual(['257 ACTIVE', '256 ACTIVE', '256 PUBLISHED']);
  expect(withNextPlain(asked, 6)).toBe(asked);
  expect(rollKeys(asked, 6, forEver).dueMs).toBe(5 + heldMs);
});

test('an entry key is removed only after the parent has named another for long enough', () => {
  const first = firstKeys(0);
  const two = withNextEntry(first, 10);
  expect(withNextEntry(two, 11)).toBe(two);
  const [old, next] = two.filter(({ flags }) => flags === 257) as [ZoneKey, ZoneKey];
  expect(dsTexts('z.test.', two, 11, rule)).toEqual([dsText('z.test.', old)]);
  expect(namedByParent(two, next.keyTag, 11, rule)).toBeUndefined();
  expect(namedByParent(two, 99_999, 1e15, rule)).toBeUndefined();
  const later = 10 + heldMs;
  expect(dsTexts('z.test.', two, later, rule)).toEqual([dsText('z.test.', next)]);
  expect(tags(rollKeys(two, 1e12, { ...rule, plainMs: null }).keys, ({ flags }) => flags === 257)).toHaveLength(2);
  const named = namedByParent(two, next.keyTag, later, rule) as readonly ZoneKey[];
  const roll = (nowMs: number) => rollKeys(named, nowMs, { ...rule, plainMs: null });
  expect(roll(later).dueMs).toBe(later + rule.parentTtlMs);
  expect(roll(later + rule.parentTtlMs - 1).keys).toBe(named);
  expect(tags(roll(later + rule.parentTtlMs).keys, ({ flags }) => flags === 257)).toEqual([next.keyTag]);
});

test('no two keys of a zone have the same tag', () => {
  const made = [makeKey(257, true), makeKey(256, true)] as const;
  const drawn = [made[0], { ...made[1], keyTag: made[0].keyTag }, made[1]];
  expect(
    tags(
      firstKeys(0, () => drawn.shift() as (typeof made)[0]),
      () => true,
    ),
  ).toEqual(made.map(({ keyTag }) => keyTag));
});

test('at any two moments, the keys cached at one verify the data cached at the other', () => {
  const stepMs = hourMs;
  let keys = firstKeys(0);
  let parentTag = keys[0]?.keyTag ?? 0;
  const history: { readonly known: ReadonlySet<number>; readonly signing: number[]; readonly parent: number }[] = [];
  for (let step = 0; step < 24 * 365; step += 1) {
    const nowMs = step * stepMs;
    if (step % 1_999 === 1_000) keys = withNextEntry(keys, nowMs);
    if (step % 701 === 300) keys = withNextPlain(keys, nowMs);
    // The parent publishes the offered DS record late, and a user confirms it.
    const [told] = dsTexts('z.test.', keys, nowMs, rule);
    const toldTag = Number(told?.split(' ')[0]);
    if (step % 97 === 0 && toldTag !== parentTag) {
      parentTag = toldTag;
      keys = namedByParent(keys, parentTag, nowMs, rule) ?? keys;
    }
    keys = rollKeys(keys, nowMs, rule).keys;
    history.push({
      known: new Set(tags(keys, () => true)),
      signing: tags(keys, ({ flags, state }) => flags === 256 && state === 'ACTIVE'),
      parent: parentTag,
    });
    const entries = new Set(tags(keys, ({ flags, state }) => flags === 257 && state === 'ACTIVE'));
    // A DS record that is younger than its TTL names a key that signs the keys.
    const kept = history.slice(-rule.parentTtlMs / stepMs).filter(({ parent }) => !entries.has(parent));
    if (kept.length > 0) throw new Error(`in step ${step} a kept DS record leads nowhere`);
  }
  const held = heldMs / stepMs;
  for (const [at, { signing }] of history.entries()) {
    if (signing.length !== 1) throw new Error(`${signing.length} keys sign in step ${at}`);
    for (const { known } of history.slice(Math.max(0, at - held + 1), at + held))
      if (!known.has(signing[0] ?? 0)) throw new Error(`a signature of step ${at} can't be verified`);
  }
  expect(new Set(history.map(({ parent }) => parent)).size).toBe(5);
});
