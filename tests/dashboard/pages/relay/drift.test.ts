// Drift, kept current by versions and bounded, whatever the order of updates.
import { describe, expect, test } from '@jest/globals';
import {
  applyEntities,
  applyItems,
  applySnapshot,
  emptyState,
  entitiesOf,
  type LiveState,
} from '../../../../dashboard/src/live/live-state.ts';
import {
  driftIn,
  type Mapping,
  mappingKind,
  maxMappings,
} from '../../../../dashboard/src/pages/relay/kinds/mapping.ts';
import { kinds } from '../../../../dashboard/src/pages/relay/kinds.ts';
import { found, item, mapping, snapshot } from '../../support/samples.ts';

const none: ReadonlyMap<string, Mapping> = new Map();
const idsOf = (state: LiveState): string[] => driftIn(entitiesOf(state, mappingKind)).map(({ id }) => id);
const merge = (known: ReadonlyMap<string, Mapping>, news: readonly Mapping[]) =>
  mappingKind.merge(known, news, () => false);

describe('driftIn', () => {
  test('drifted or missing mappings that still exist; missing ones first, then the newest finding', () => {
    const mappings = merge(none, [
      mapping({ id: 'old', ...found('DRIFTED', '2026-01-01T00:00:00.000Z') }),
      mapping({ id: 'new', ...found('DRIFTED', '2026-01-03T00:00:00.000Z') }),
      mapping({ id: 'gone', ...found('MISSING', '2026-01-02T00:00:00.000Z') }),
      mapping({ id: 'fine', ...found('MATCHES') }),
      mapping({ id: 'never' }),
      mapping({ id: 'deleted', mappingState: 'DELETED', ...found('MISSING') }),
      mapping({ id: 'orphan', mappingState: 'ORPHAN', ...found('DRIFTED') }),
    ]);
    expect(driftIn(mappings).map(({ id }) => id)).toEqual(['gone', 'new', 'old']);
  });
});

describe('the stream', () => {
  const begun = applySnapshot(
    kinds,
    emptyState,
    snapshot({ entities: [mapping({ version: 2, ...found('DRIFTED') })] }),
  );

  test('a matching finding removes it, and a late older one does not bring it back', () => {
    expect(idsOf(begun)).toEqual(['m1']);
    const settled = applyItems(kinds, begun, [item(1, mapping({ version: 3, ...found('MATCHES') }))]);
    expect(idsOf(settled)).toEqual([]);
    const late = applyEntities(mappingKind, settled, [mapping({ version: 2, ...found('DRIFTED') })]);
    expect(idsOf(late)).toEqual([]);
  });

  test('a difference adds it', () => {
    const state = applyItems(kinds, begun, [item(1, mapping({ id: 'm2', ...found('MISSING') }))]);
    expect(idsOf(state)).toEqual(['m2', 'm1']);
  });

  test('a mapping that ends no longer counts as drift', () => {
    const ended = mapping({ version: 3, mappingState: 'DELETED', ...found('DRIFTED') });
    expect(idsOf(applyItems(kinds, begun, [item(1, ended)]))).toEqual([]);
  });
});

describe('a read of all drift', () => {
  test('removes entries that it does not contain, except those that arrived in the meantime', () => {
    let state = applySnapshot(kinds, emptyState, snapshot({ entities: [mapping({ id: 'a', ...found('DRIFTED') })] }));
    state = applyItems(kinds, state, [item(1, mapping({ id: 'b', ...found('MISSING') }))]);
    expect(idsOf(applyEntities(mappingKind, state, [], { expected: ['a'] }))).toEqual(['b']);
  });
});

test('at most 500 are kept, and drift is dropped last', () => {
  const drifted = mapping({ id: 'drifted', ...found('DRIFTED') });
  const many = Array.from({ length: 2 * maxMappings }, (_, index) => mapping({ id: `n${index}`, ...found('MATCHES') }));
  const kept = merge(merge(none, [drifted]), many);
  expect(kept.size).toBe(maxMappings);
  expect(kept.has('drifted')).toBe(true);
  expect(kept.has(`n${2 * maxMappings - 1}`)).toBe(true);
});
