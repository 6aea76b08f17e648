// Random histories of every kind. Whatever changed in between, a restored version equals the export made at that
// version.
import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { restores } from '../../../../../generated/kinds/restores.ts';
import type { JsonObject } from '../../../../../platform/values/json.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { changes, compact, HistoryPlace } from '../../support/history-place.ts';

const shared = forFile(() => HistoryPlace.open());
const histories = Number(process.env.HISTORIES ?? 200);
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));

/** Mulberry32. */
function generator(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test(
  `${histories} random histories, seed ${seed}`,
  async () => {
    const random = generator(seed);
    const below = (most: number) => Math.floor(random() * most);
    const subjects = await shared.subjects();
    const kinds = Object.keys(changes).map((type) => ({
      ...{ type, id: subjects.find((each) => each.type === type)?.id ?? '' },
      /** The export made at each version, by version number. */
      known: new Map<number, JsonObject>(),
    }));
    const first = new Map<string, JsonObject>();
    for (const { type, id, known } of kinds) {
      const { number, settings } = await shared.newest(id);
      first.set(type, settings ?? {});
      known.set(number, await shared.exported(type, id));
    }
    let [reached, refused] = [0, 0];
    for (let history = 0; history < histories; history += 1) {
      const { type, id, known } = kinds[history % kinds.length] ?? { type: '', id: '', known: new Map() };
      for (let step = below(3); step >= 0; step -= 1) {
        const fields = Object.entries(changes[type] ?? {}).filter(() => random() < 0.6);
        const values = fields.map(([name, value]) => [
          name,
          random() < 0.5 ? value : (first.get(type)?.[name] ?? null),
        ]);
        const mutation = restores[type]?.update?.mutation ?? '';
        // Some combinations are refused, and leave no version.
        await shared.admin.change(mutation, { id, ...Object.fromEntries(values) }).catch(() => {
          refused += 1;
        });
        const { number } = await shared.newest(id);
        if (!known.has(number)) known.set(number, await shared.exported(type, id));
      }
      const versions = (await shared.ownVersions(id)).slice(0, 20).filter(({ number }) => known.has(number));
      const wanted = versions[below(versions.length)];
      if (wanted?.restore.mutation == null) continue;
      const { userErrors } = await shared.send(type, wanted.restore);
      expect({ type, seed, userErrors }).toEqual({ type, seed, userErrors: [] });
      const now = await shared.exported(type, id);
      expect({ type, seed, now: compact(now) }).toEqual({ type, seed, now: compact(known.get(wanted.number) ?? {}) });
      const { number, settings } = await shared.newest(id);
      expect({ type, settings }).toEqual({ type, settings: wanted.settings });
      known.set(number, now);
      reached += 1;
    }
    process.stdout.write(`${reached} versions reached again, ${refused} changes refused\n`);
    expect(reached).toBeGreaterThan(histories / 4);
  },
  600_000 * patience,
);
