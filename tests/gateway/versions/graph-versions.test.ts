// Earlier versions of the graph stay as long as they have requests.
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { GraphVersion } from '../../../gateway/versions/graph-version.ts';
import { GraphVersions } from '../../../gateway/versions/graph-versions.ts';
import { until } from '../../support/machine/temporary-folder.ts';

const log = pino({ level: 'silent' });
const happened: string[] = [];

/** The parts of a version that the holder needs. */
function version(name: string): GraphVersion {
  const part = {
    replace: () => void happened.push(`${name} replaced`),
    close: async () => void happened.push(`${name} closed`),
    endpoint: { drain: () => void happened.push(`${name} drains`) },
  };
  return part as unknown as GraphVersion;
}

afterEach(() => void happened.splice(0));

test('an earlier version is closed after its last request', async () => {
  const [first, second] = [version('first'), version('second')];
  const versions = new GraphVersions(first, { log, graceMs: 1 });
  const ends: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => void ends.push(resolve));
  const [one, other] = [versions.use(work), versions.use(work)];
  versions.switchTo(second);
  expect([versions.current, versions.count, happened]).toEqual([second, 2, ['first replaced']]);
  ends[0]?.();
  await one;
  expect(versions.count).toBe(2);
  ends[1]?.();
  await other;
  await until(() => versions.count === 1);
  expect(happened).toEqual(['first replaced', 'first closed']);
});

test('a request that was admitted before the switch starts on its version', async () => {
  const first = version('first');
  const versions = new GraphVersions(first, { log, graceMs: 60_000 });
  versions.switchTo(version('second'));
  expect(await versions.use(async (used) => used === first, first)).toBe(true);
  expect(versions.count).toBe(2);
  await versions.close();
});

test('a drain and a close reach all versions', async () => {
  const versions = new GraphVersions(version('first'), { log });
  versions.switchTo(version('second'));
  versions.drain();
  expect([versions.isDraining, happened]).toEqual([true, ['first replaced']]);
  versions.refuseMutations();
  await versions.close();
  expect(happened).toEqual(['first replaced', 'first drains', 'second drains', 'first closed', 'second closed']);
});
