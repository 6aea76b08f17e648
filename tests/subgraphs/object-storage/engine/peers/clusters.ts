// The clusters named in the documents of these tests.
import type { MachineName } from '../../../../../platform/machines/machine.ts';

const numbers: Readonly<Record<string, number>> = { north: 1, south: 2, east: 3 };

export function clusterOf({ name }: MachineName): number | undefined {
  return numbers[name];
}
