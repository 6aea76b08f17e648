// Versions, cursors, duplicates and bounds of the dashboard's live state.
import { describe, expect, test } from '@jest/globals';
import type { FeedItem } from '../../../dashboard/src/live/entity-kind.ts';
import {
  addNote,
  applyEntities,
  applyItems,
  applySnapshot,
  emptyState,
  entitiesOf,
  maxFeedLines,
} from '../../../dashboard/src/live/live-state.ts';
import { backendKind } from '../../../dashboard/src/pages/relay/kinds/backend.ts';
import { maxOperations, operationKind } from '../../../dashboard/src/pages/relay/kinds/operation.ts';
import { kinds } from '../../../dashboard/src/pages/relay/kinds.ts';
import { backend, checkpoint, item, mapping, operation, snapshot } from '../support/samples.ts';

const begun = applySnapshot(kinds, emptyState, snapshot());

describe('applyItems', () => {
  test('takes a newer version and drops an older one', () => {
    let state = applyItems(kinds, begun, [item(1, operation({ version: 3, state: 'SUCCEEDED' }))]);
    state = applyItems(kinds, state, [item(2, operation({ version: 2, state: 'SENT' }))]);
    expect(entitiesOf(state, operationKind).get('o1')?.state).toBe('SUCCEEDED');
    expect(state.cursor).toBe('c2');
    expect(state.feed).toHaveLength(2);
  });

  test('shows a change once, however often it comes', () => {
    const change = item(1, operation());
    const state = applyItems(kinds, applyItems(kinds, begun, [change, change]), [change]);
    expect(state.feed.map((line) => line.id)).toEqual(['s1']);
  });

  test('a change that the snapshot has already shown is not shown again', () => {
    const change = item(5, operation());
    const state = applySnapshot(
      kinds,
      emptyState,
      snapshot({ history: change.change === null ? [] : [change.change] }),
    );
    expect(applyItems(kinds, state, [change]).feed).toHaveLength(1);
  });

  test('a checkpoint only moves the cursor', () => {
    const state = applyItems(kinds, begun, [checkpoint(9)]);
    expect(state).toEqual({ ...begun, cursor: 'c9' });
  });

  test('adds the newest line at the top', () => {
    const state = applyItems(kinds, begun, [item(1, operation()), item(2, operation({ version: 2 }))]);
    expect(state.feed.map((line) => line.id)).toEqual(['s2', 's1']);
  });

  test('a removed subject keeps the name that the page knew', () => {
    const known = applyEntities(operationKind, begun, [operation({ version: 4 })]);
    const name = operationKind.label(operation());
    const labelOf = (state: typeof begun) => state.feed.flatMap((line) => (line.type === 'change' ? [line.label] : []));
    expect(labelOf(applyItems(kinds, known, [item(1, null, { subjectVersion: 5 })]))).toEqual([name]);
    // Also if only an earlier change has it.
    const told = applyItems(kinds, begun, [item(1, operation())]);
    const gone = { ...told, entities: new Map() };
    expect(labelOf(applyItems(kinds, gone, [item(2, null, { subjectVersion: 5 })]))).toEqual([name, name]);
    expect(labelOf(applyItems(kinds, begun, [item(1, null, { subjectVersion: 5 })]))).toEqual(['']);
    // The page never knew it: the change itself has the name.
    const recorded = { subjectVersion: 5, subjectName: 'rule.create' };
    expect(labelOf(applyItems(kinds, begun, [item(1, null, recorded)]))).toEqual(['rule.create']);
  });

  test('a change without its subject causes another read, unless that version is known', () => {
    const known = applyEntities(operationKind, begun, [operation({ version: 4 })]);
    expect(applyItems(kinds, known, [item(1, null, { subjectVersion: 4 })]).incomplete).toBe(false);
    expect(applyItems(kinds, known, [item(1, null, { subjectVersion: 5 })]).incomplete).toBe(true);
    expect(applyItems(kinds, known, [item(1, null, { subjectType: 'Mapping', subjectVersion: 5 })]).incomplete).toBe(
      false,
    );
  });

  test('lines keep the label that their subject had', () => {
    const cmpObject = { namespace: 'default', type: 'tenant', externalId: '42' };
    const subjects = [
      operation(),
      backend(),
      mapping({ objectKey: 'blocked/203.0.113.7', cmpObject }),
      { __typename: 'Project' } as const,
    ];
    const state = applyItems(
      kinds,
      begun,
      subjects.map((subject, index) => item(index, subject, { subjectId: `subject-${index}` })),
    );
    const labels = state.feed.map((line) => (line.type === 'change' ? line.label : ''));
    expect(labels.reverse()).toEqual(['rule.create on fw-1', 'fw-1', 'blocked/203.0.113.7 for tenant/42', '']);
  });

  test('a deleted backend leaves the list', () => {
    const state = applyEntities(backendKind, begun, [backend()]);
    const gone = backend({ version: 2, provisioningStatus: 'DELETED' });
    expect(entitiesOf(applyItems(kinds, state, [item(1, gone)]), backendKind).size).toBe(0);
  });

  test('keeps at most 500 operations and 500 lines, and drops unknown outcomes last', () => {
    const items: FeedItem[] = [
      item(1, operation({ id: 'old', state: 'UNKNOWN', createdAt: '2020-01-01T00:00:00.000Z' })),
    ];
    for (let number = 2; number <= 1200; number += 1) {
      const createdAt = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
      items.push(item(number, operation({ id: `o${number}`, state: 'SUCCEEDED', createdAt })));
    }
    const state = applyItems(kinds, begun, items);
    expect(entitiesOf(state, operationKind).size).toBe(maxOperations);
    expect(entitiesOf(state, operationKind).has('old')).toBe(true);
    expect(entitiesOf(state, operationKind).has('o1200')).toBe(true);
    expect(entitiesOf(state, operationKind).has('o2')).toBe(false);
    expect(state.feed).toHaveLength(maxFeedLines);
    expect(state.feed[0]?.id).toBe('s1200');
  });
});

describe('operations from a query', () => {
  test('keeps the preferred operations before newer ones', () => {
    const many = Array.from({ length: maxOperations }, (_, index) =>
      operation({ id: `n${index}`, createdAt: '2026-02-01T00:00:00.000Z' }),
    );
    const failed = operation({ id: 'f', state: 'FAILED', createdAt: '2026-01-01T00:00:00.000Z' });
    const state = applyEntities(operationKind, applyEntities(operationKind, begun, many), [failed], {
      prefer: (each) => each.state === 'FAILED',
    });
    expect(entitiesOf(state, operationKind).has('f')).toBe(true);
    expect(entitiesOf(state, operationKind).size).toBe(maxOperations);
  });
});

describe('backends from a query', () => {
  test('takes the same version again, because queues do not increment it', () => {
    const queue = { waiting: 3, inFlight: 1, limit: 100, holder: 'relay-1' };
    const state = applyEntities(backendKind, applyEntities(backendKind, begun, [backend()]), [backend({ queue })]);
    expect(entitiesOf(state, backendKind).get('b1')?.queue.waiting).toBe(3);
  });

  test('keeps the identity of unchanged entities, so that nothing is rendered again', () => {
    const first = applyEntities(backendKind, begun, [backend()]);
    const second = applyEntities(backendKind, first, [backend()]);
    expect(entitiesOf(second, backendKind).get('b1')).toBe(entitiesOf(first, backendKind).get('b1'));
  });

  test('drops entities that a complete read does not contain, except those that arrived in the meantime', () => {
    const state = applyEntities(backendKind, begun, [backend(), backend({ id: 'b2' }), backend({ id: 'b3' })]);
    const read = applyEntities(backendKind, state, [backend()], { expected: ['b1', 'b2'] });
    expect([...entitiesOf(read, backendKind).keys()]).toEqual(['b1', 'b3']);
  });
});

describe('applySnapshot', () => {
  test('starts again even with lower versions, and marks the break', () => {
    const before = applyItems(kinds, begun, [item(1, operation({ version: 9, state: 'SUCCEEDED' }))]);
    const note = { type: 'note', id: 'n', at: '2026-01-31T12:00:00.000Z', text: 'seam' } as const;
    const newer = item(7, operation({ version: 2 })).change;
    const state = applySnapshot(
      kinds,
      before,
      snapshot({ cursor: 'c7', entities: [operation({ version: 2 })], history: newer === null ? [] : [newer] }),
      note,
    );
    expect(entitiesOf(state, operationKind).get('o1')).toMatchObject({ version: 2, state: 'SENT' });
    expect(state.cursor).toBe('c7');
    expect(state.feed.map((line) => line.id)).toEqual(['s7', 'n', 's1']);
  });

  test('a note counts towards the bound', () => {
    const items = Array.from({ length: maxFeedLines }, (_, index) => item(index + 1, operation({ id: `o${index}` })));
    const note = { type: 'note', id: 'n', at: '2026-01-31T12:00:00.000Z', text: 'seam' } as const;
    expect(addNote(applyItems(kinds, begun, items), note).feed).toHaveLength(maxFeedLines);
  });
});
