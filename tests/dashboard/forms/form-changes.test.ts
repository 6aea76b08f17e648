// The input that a form sends.
import { expect, test } from '@jest/globals';
import { readDraft } from '../../../dashboard/src/forms/draft.ts';
import { changeOfForm, placesIn } from '../../../dashboard/src/forms/form-changes.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';

function actionOf(type: string, verb: string): { readonly kind: Kind; readonly action: Action } {
  const kind = registry.kinds[type];
  const action = kind?.actions[verb];
  if (kind === undefined || action === undefined) throw new Error(`no ${verb} of ${type}`);
  return { kind, action };
}

function changed(before: Record<string, string>, draft: Record<string, string>, version?: number) {
  const { kind, action } = actionOf('Pool', 'update');
  const object = { id: 'pool-1', name: 'web', ...(version === undefined ? {} : { version }) };
  return changeOfForm({ kind, action, draft, before, object } as never, readDraft(action.input, draft));
}

test('a new object is sent with all entered values, and no ID', () => {
  const { kind, action } = actionOf('Project', 'create');
  const draft = { name: 'shop' };
  const sent = changeOfForm(
    { kind, action, draft, before: undefined, object: undefined },
    readDraft(action.input, draft),
  );
  expect(sent).toMatchObject({ whole: { name: 'shop' }, faults: [], isUnchanged: false });
  expect(sent.whole).not.toHaveProperty('id');
});

test('changes of an existing object are sent with its ID and version', () => {
  const { input, whole, isUnchanged } = changed({ name: 'web' }, { name: 'shop' }, 4);
  expect(input).toEqual({ name: 'shop' });
  expect(whole).toEqual({ id: 'pool-1', expectedVersion: 4, name: 'shop' });
  expect(isUnchanged).toBe(false);
  expect(changed({ name: 'web' }, { name: 'shop' }).whole).not.toHaveProperty('expectedVersion');
});

test('equal fields are not a change, and unchanged fields have no fault', () => {
  const { action } = actionOf('Pool', 'update');
  const wrong = { name: 'web', drainMs: 'soon' };
  expect(readDraft(action.input, wrong).faults).toHaveLength(1);
  expect(changed(wrong, wrong)).toMatchObject({ input: {}, faults: [], isUnchanged: true });
});

test('parts are selected from the objects that the draft refers to', () => {
  const { action } = actionOf('Pool', 'create');
  expect(placesIn(action, { loadBalancerId: 'lb-1', name: 'web' })).toEqual({ LoadBalancer: 'lb-1' });
  expect(placesIn(action, { loadBalancerId: '' })).toEqual({});
});
