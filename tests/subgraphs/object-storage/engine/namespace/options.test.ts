// The option that a new container gets, and the error when it can get none.
import { expect, test } from '@jest/globals';
import { optionNamed } from '../../../../../subgraphs/object-storage/engine/namespace/containers.ts';
import type { Topology } from '../../../../../subgraphs/object-storage/engine/namespace/topology.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

function topologyWith(changed: Partial<Topology>): Topology {
  return { ...new MemoryClusters().topology(0, () => false), ...changed };
}

test('the named option is used, or the default one', () => {
  const topology = topologyWith({});
  expect(optionNamed(topology, 'other').number).toBe(2);
  expect(optionNamed(topology, undefined).number).toBe(1);
});

test.each<[string, Partial<Topology>, object]>([
  ['is being deleted', { isEnding: () => true }, { code: 'NO_OPTION', message: /is being deleted: name another one/ }],
  ['is newer than its ring', { isEnding: () => true, awaits: () => true }, { code: 'NO_QUORUM', message: /try again/ }],
  ['is not known', { optionByName: () => undefined }, { code: 'NO_OPTION', message: /there is no option other/ }],
])('an option that %s is refused', (_what, changed, error) => {
  expect(() => optionNamed(topologyWith(changed), 'other')).toThrow(
    expect.objectContaining({ ...error, message: expect.stringMatching((error as { message: RegExp }).message) }),
  );
});
