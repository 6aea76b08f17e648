// One mistake in a tree that makes many objects at once gives one error, at its place.
import { expect, test } from '@jest/globals';
import { mistakesIn } from '../../support/jest/mistakes.ts';
import type { Mutated } from './subgraph-graph.ts';

/**
 * `tree`: a valid input with a unique name for each number, because a valid input makes an object. `isElsewhere`: the
 * error may have another path, such as a reference to a name.
 */
export function oneMistake(
  mutate: (tree: object) => Promise<Mutated>,
  tree: (number: number) => object,
  isElsewhere: (path: string) => boolean = () => false,
): void {
  test('one mistake in the tree has one error', async () => {
    expect((await mutate(tree(1_000_000))).told).toEqual([]);
    const wrong: string[] = [];
    let refused = 0;
    for (const number of mistakesIn(tree(0)).keys()) {
      const mistake = mistakesIn(tree(number))[number];
      if (mistake === undefined) continue;
      const { told, faults } = await mutate(mistake.input);
      if (told.length > 0) refused += 1;
      const isThere = `input.${mistake.path}`.startsWith(told[0]?.field.join('.') ?? 'input');
      if (told.length > 1 || !(isThere || isElsewhere(mistake.path)))
        wrong.push(`${mistake.path} ${String(mistake.value).slice(0, 9)}: ${faults.join(', ')}`);
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(80);
  });
}
