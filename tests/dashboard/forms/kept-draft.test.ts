// Drafts that outlive the login: their contents and owner, and never a secret.
import { describe, expect, test } from '@jest/globals';
import { dropDraft, keepDraft, keptDraft } from '../../../dashboard/src/forms/kept-draft.ts';
import { forgetOthersDrafts } from '../../../dashboard/src/session/draft-storage.ts';
import { registry } from '../../../generated/kinds/registry.ts';

/** The storage of a tab. `room`: in characters. */
function storage(room = Number.POSITIVE_INFINITY): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem(key: string, value: string) {
      if (value.length > room) throw new DOMException('no room', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key: string) => void items.delete(key),
    get length() {
      return items.size;
    },
  } as unknown as Storage;
}

const input = 'UserCreateInput';
const draft = { name: 'nora', password: 'hidden', admin: 'true' };

test('is there for the same user in the same form, without secrets', () => {
  const tab = storage();
  keepDraft(tab, 'ann', '/form?new=User create', { input, draft });
  expect(tab.getItem('tidegate.drafts')).not.toContain('hidden');
  expect(keptDraft(tab, 'ann', '/form?new=User create')).toEqual({ draft: { name: 'nora', admin: 'true' } });
  expect(keptDraft(tab, 'ann', '/form?new=Project create')).toBeUndefined();
  expect(keptDraft(tab, 'bob', '/form?new=User create')).toBeUndefined();
  forgetOthersDrafts(tab, 'ann');
  expect(keptDraft(tab, 'ann', '/form?new=User create')).toBeDefined();
  dropDraft(tab, 'ann', '/form?new=User create');
  expect(tab.length).toBe(0);
});

test("is forgotten when another user logs in, and is replaced by that user's own", () => {
  const tab = storage();
  keepDraft(tab, 'ann', 'a', { input, draft });
  forgetOthersDrafts(tab, 'bob');
  expect(tab.length).toBe(0);
  keepDraft(tab, 'ann', 'a', { input, draft });
  keepDraft(tab, 'bob', 'b', { input, draft });
  expect([keptDraft(tab, 'ann', 'a'), keptDraft(tab, 'bob', 'b')]).toEqual([undefined, expect.anything()]);
  forgetOthersDrafts(tab, null);
  expect(tab.length).toBe(0);
});

test('a damaged store, one without room, and too many drafts are not errors', () => {
  const tab = storage();
  for (const text of ['{', 'null', '[]', '{"user":"ann"}', '{"user":"ann","drafts":[]}']) {
    tab.setItem('tidegate.drafts', text);
    expect(keptDraft(tab, 'ann', 'a')).toBeUndefined();
  }
  for (let count = 0; count < 30; count += 1) keepDraft(tab, 'ann', `form ${count}`, { input, draft });
  expect([keptDraft(tab, 'ann', 'form 9'), keptDraft(tab, 'ann', 'form 29')]).toEqual([undefined, expect.anything()]);
  const full = storage(10);
  keepDraft(full, 'ann', 'a', { input, draft });
  expect(full.length).toBe(0);
});

describe('no secret of any input is kept', () => {
  const inputs = [
    ...Object.values(registry.kinds).flatMap(({ actions }) => Object.values(actions)),
    ...Object.values(registry.calls),
  ];

  /** Every field has its path as its value, and secrets are marked. */
  function filled(name: string, path: string, depth = 0): Record<string, unknown> {
    const entries = (registry.inputs[name]?.fields ?? []).map((field) => {
      const at = `${path}.${field.name}`;
      const own =
        registry.inputs[field.type] !== undefined && depth < 6 && field.secret !== true
          ? filled(field.type, at, depth + 1)
          : `${field.secret === true ? 'SECRET ' : ''}${at}`;
      return [field.name, field.list === true ? [own] : own];
    });
    return Object.fromEntries(entries);
  }

  test.each([...new Set(inputs.map((action) => action.input))])('%s', (name) => {
    const tab = storage();
    const whole = filled(name, name) as never;
    keepDraft(tab, 'ann', 'a', { input: name, draft: whole, before: whole });
    const text = tab.getItem('tidegate.drafts') ?? '';
    expect(text).not.toContain('SECRET');
    const plain = JSON.stringify(whole).split('SECRET').length - 1;
    if (plain === 0 && Object.keys(whole).length > 1) expect(text.length).toBeGreaterThan(40);
  });

  test('some have secrets, and the graph knows none in the arguments of a call', () => {
    expect(JSON.stringify(filled('BackendCreateInput', ''))).toContain('SECRET');
    const tab = storage();
    keepDraft(tab, 'ann', 'a', {
      input: 'RelayCallInput',
      draft: { operation: 'user.create', arguments: '{"password":"x"}' },
    });
    expect(keptDraft(tab, 'ann', 'a')).toEqual({ draft: { operation: 'user.create' } });
  });
});
