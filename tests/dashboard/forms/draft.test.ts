// The model of forms: inputs made from drafts, faults at their fields, the fields that an update sends, and that every
// kind and action is covered.
import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  coerceInputValue,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  parse,
  validate,
} from 'graphql';
import { changedFields, conflictsOf, draftOfObject, rebased } from '../../../dashboard/src/forms/changes.ts';
import { callDocument, formDocument, formDocuments } from '../../../dashboard/src/forms/documents.ts';
import {
  chosen,
  type Draft,
  draftOf,
  formFields,
  noObject,
  readDraft,
  withDraft,
} from '../../../dashboard/src/forms/draft.ts';
import { faultsAt, placeRefusals } from '../../../dashboard/src/forms/faults.ts';
import { askedBy, furtherVerbs, makingVerb } from '../../../dashboard/src/forms/form-address.ts';
import { actionLink, callLink, editLink, newLink } from '../../../dashboard/src/forms/links.ts';
import { ofInstallation, projectChoice } from '../../../dashboard/src/forms/project-choice.ts';
import { type CreatableKind, creatorRoles, onlyEnds } from '../../../dashboard/src/forms/roles.ts';
import { inWords } from '../../../dashboard/src/forms/value-words.ts';
import { ownDocuments } from '../../../dashboard/src/own-documents.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import type { Kind } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import { calls, cases, deedOfCall, draftFor } from './samples.ts';

const schema = buildSchema(readSupergraph(), { assumeValid: true });
const kindOf = (type: string): Kind => {
  const kind = registry.kinds[type];
  if (kind === undefined) throw new Error(`no kind ${type}`);
  return kind;
};
const searchOf = (link: string) => link.slice(link.indexOf('?'));

describe.each([...cases])('$title', ({ kind, verb, action }) => {
  test('a form has every field that a user fills in', () => {
    const names = formFields(action.input).map(({ name }) => name);
    const inGraph = Object.keys(
      (schema.getType(action.input) as { getFields(): object } & GraphQLInputType).getFields(),
    );
    const own = ['id', 'idempotencyKey', 'expectedVersion'];
    expect([...names, ...own.filter((name) => inGraph.includes(name))].sort()).toEqual(inGraph.sort());
  });

  test('a filled form makes an input that the graph accepts, and can be restored from it', () => {
    for (const how of [{ all: false }, { all: true }, { all: true, which: 2 }]) {
      const draft = draftFor(action.input, how);
      const { input, faults } = readDraft(action.input, draft);
      expect(faults).toEqual([]);
      const wrong: string[] = [];
      const own = { idempotencyKey: 'k', ...(inputHasId(action.input) ? { id: 'x' } : {}) };
      coerceInputValue({ ...own, ...input }, schema.getType(action.input) as GraphQLInputType, (path, _, error) =>
        wrong.push(`${path.join('.')}: ${error.message}`),
      );
      expect(wrong).toEqual([]);
      // Secrets are not restored.
      if (!JSON.stringify(input).includes('the secret of'))
        expect(readDraft(action.input, draftOf(action.input, input)).input).toEqual(input);
    }
  });

  test('an empty form marks each required field', () => {
    const needed = formFields(action.input).filter(
      ({ required, list, type }) => required === true && list !== true && registry.inputs[type] === undefined,
    );
    const { faults } = readDraft(action.input, {});
    const places = faults.map(({ path }) => path.join('.'));
    expect(places).toEqual(expect.arrayContaining(needed.map(({ name }) => name)));
  });

  test('its document is valid and published', () => {
    const text = String(formDocument(kind, action));
    expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
    expect(ownDocuments()).toContain(text);
  });

  test('a page has it', () => {
    const isOfObject = inputHasId(action.input);
    const [parent] = kind.parent === undefined ? [] : [kind.parent.input];
    if (isOfObject && verb !== 'update') expect(furtherVerbs(kind, ({ input }) => inputHasId(input))).toContain(verb);
    if (isOfObject) expect(askedBy(searchOf(editLink(kind.type, 'x')))).toMatchObject({ what: 'edit', id: 'x' });
    else {
      const asked = askedBy(searchOf(actionLink(kind.type, verb, parent === undefined ? {} : { [parent]: 'p' })));
      expect(asked).toMatchObject({ what: 'new', verb, presets: parent === undefined ? {} : { [parent]: 'p' } });
    }
  });
});

const inputHasId = (input: string) => registry.inputs[input]?.fields.some(({ name }) => name === 'id') === true;

describe.each(calls)('$mutation', (action) => {
  test('a form has all fields except the backend, which its page fills in', () => {
    const inGraph = Object.keys((schema.getType(action.input) as GraphQLInputObjectType).getFields());
    const own = ['idempotencyKey', 'projectId', 'backend', 'dryRun'];
    expect([...formFields(action.input).map(({ name }) => name), ...own].sort()).toEqual(inGraph.sort());
  });

  test('a filled form makes an input that the graph accepts, and its document is valid and published', () => {
    for (const how of [{ all: false }, { all: true }, { all: true, which: 1 }, { all: true, which: 2 }]) {
      const draft = draftFor(action.input, how);
      expect(readDraft(action.input, draft).faults).toEqual([]);
      const wrong: string[] = [];
      const input = { ...deedOfCall(action, draft).input, idempotencyKey: 'k' };
      coerceInputValue(input, schema.getType(action.input) as GraphQLInputType, (path, _, error) =>
        wrong.push(`${path.join('.')}: ${error.message}`),
      );
      expect(wrong).toEqual([]);
    }
    const text = String(callDocument(action));
    expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
    expect(ownDocuments()).toContain(text);
  });

  test('a page has it', () => {
    const presets = { waitMs: '5', nothing: 'x' };
    expect(askedBy(searchOf(callLink(action.mutation, 'b', presets)))).toEqual({
      ...{ what: 'call', action, backendId: 'b', presets: { waitMs: '5' } },
    });
  });
});

test('every kind that can be created has a form, and its button the role of its action', () => {
  for (const kind of Object.values(registry.kinds)) {
    const verb = makingVerb(kind);
    if (verb === undefined) continue;
    expect(askedBy(searchOf(newLink(kind.type)))).toMatchObject({ what: 'new', verb });
  }
  for (const [type, role] of Object.entries(creatorRoles)) {
    const kind = kindOf(type);
    expect({ type, role: kind.actions[makingVerb(kind) ?? 'update']?.role }).toEqual({ type, role });
  }
});

test('a link to a form shows whether its object can be changed', () => {
  for (const type of Object.keys(creatorRoles) as CreatableKind[]) {
    const { actions, node } = kindOf(type);
    const ends = ['delete', 'revoke', 'remove'].filter((verb) => verb in actions);
    if (!node) continue;
    const words = 'update' in actions ? undefined : ends.map((verb) => titleOf(verb)).join();
    expect([type, onlyEnds[type]]).toEqual([type, words]);
  }
});

test('every document of forms is valid', () => {
  for (const text of formDocuments()) expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([]);
});

describe('the project of a new object', () => {
  const project = (name: string) => ({ role: 'OPERATOR' as const, project: { __typename: 'Project', id: name, name } });
  const viewer = (admin: boolean, ...names: string[]) => ({ name: 'v', admin, projects: names.map(project) });
  const withProject = cases.filter(({ action }) => formFields(action.input).some(({ name }) => name === 'projectId'));

  test('some kinds belong to one', () => {
    const types = new Set(withProject.map(({ kind }) => kind.type));
    expect([...types]).toEqual(expect.arrayContaining(['LoadBalancer', 'Gslb', 'Backend', 'ObjectContainer']));
  });

  test.each(withProject)(
    '$title: it is filled in only if there is no other, otherwise the user must choose',
    (each) => {
      const { kind, action } = each;
      const draft = draftFor(action.input, { all: true });
      for (const admin of [false, true]) {
        const isWide = admin && ofInstallation.has(kind.type);
        expect(projectChoice(kind, action, viewer(admin, 'one')).presets).toEqual(isWide ? {} : { projectId: 'one' });
        const { needed, presets } = projectChoice(kind, action, viewer(admin, 'one', 'two'));
        expect(presets).toEqual({});
        const { projectId: _none, ...without } = draft;
        expect(readDraft(action.input, without, needed).faults).toEqual([
          { path: ['projectId'], message: 'Required.' },
        ]);
        expect(readDraft(action.input, { ...without, projectId: 'two' }, needed).faults).toEqual([]);
      }
    },
  );

  test.each(withProject)('$title: a value that an administrator may omit is chosen too', ({ kind, action }) => {
    const field = registry.inputs[action.input]?.fields.find(({ name }) => name === 'projectId');
    expect(ofInstallation.has(kind.type)).toBe(field?.description.includes('Administrators leave it out'));
    const { none, needed } = projectChoice(kind, action, viewer(true, 'one', 'two'));
    expect('projectId' in none).toBe(ofInstallation.has(kind.type));
    expect(projectChoice(kind, action, viewer(false, 'one', 'two')).none).toEqual({});
    if (!('projectId' in none)) return;
    const draft = { ...draftFor(action.input, { all: false }), projectId: noObject };
    const { input, faults } = readDraft(action.input, draft, needed);
    expect(faults).toEqual([]);
    expect(input).not.toHaveProperty('projectId');
  });
});

describe('an address', () => {
  test('has presets of known fields only', () => {
    expect(askedBy('?new=GslbPoolMember&poolId=p&id=x&idempotencyKey=k&nothing=1')).toMatchObject({
      presets: { poolId: 'p' },
    });
  });

  test('fills in no secret, because a foreign link could set a password that the user does not see', () => {
    expect(askedBy('?new=User&name=mallory&password=known')).toEqual({
      ...{ what: 'new', kind: kindOf('User'), verb: 'create', action: kindOf('User').actions.create },
      presets: { name: 'mallory' },
    });
  });

  test.each([
    ...['', '?new=Nothing', '?new=constructor', '?edit=Pool', '?new=Pool&do=explode', '?new=LoadBalancerHost'],
    ...['?call=nothing&backend=b', '?call=constructor&backend=b', '?call=relayCall'],
  ])('without a known kind shows all kinds: %s', (search) => expect(askedBy(search)).toEqual({ what: 'choose' }));
});

describe('values', () => {
  const faultOf = (draft: Record<string, string>) =>
    readDraft('PoolMemberCreateInput', { poolId: 'p', host: 'h', port: '80', ...draft }).faults;

  test.each([
    [{ port: '0' }, ['port'], 'Write a number from 1 to 65535.'],
    [{ port: 'http' }, ['port'], 'Write a number.'],
    [{ weight: '1.5' }, ['weight'], 'Write a whole number.'],
    [{ weight: '257' }, ['weight'], 'Write a number from 0 to 256.'],
    [{ host: ' ' }, ['host'], 'Required.'],
  ])('%j is a fault', (draft, path, message) => {
    expect(faultOf(draft as Record<string, string>)).toEqual([{ path, message }]);
  });

  test('a number that the graph does not accept is a fault at its field', () => {
    const { faults } = readDraft('AlertRuleUpdateInput', { withinMs: '3000000000' });
    expect(faults).toEqual([{ path: ['withinMs'], message: 'Write a number from -2147483648 to 2147483647.' }]);
  });

  test('a fault of an item is at the item', () => {
    const { faults } = readDraft('LoadBalancerCreateInput', {
      name: 'web',
      pools: [
        {
          memberProtocol: 'HTTP',
          members: [
            { host: 'a', port: '80' },
            { host: '', port: 'x' },
          ],
        },
      ],
    });
    expect(faults).toEqual([
      { path: ['pools', '0', 'members', '1', 'host'], message: 'Required.' },
      { path: ['pools', '0', 'members', '1', 'port'], message: 'Write a number.' },
    ]);
  });

  test('exactly one of some fields is chosen', () => {
    const given = (parameters: Record<string, string | object>) =>
      readDraft('GslbMonitorCreateInput', { name: 'm', checkType: 'TCP', parameters: parameters as never });
    expect(given({ [chosen]: 'tcp', tcp: {}, http: { path: '/' } }).input.parameters).toEqual({ tcp: {} });
    expect(given({ http: { path: '/' } }).faults).toMatchObject([{ path: ['parameters'] }]);
  });

  test('a value at a path is set and removed', () => {
    const draft = withDraft({}, ['pools', '0', 'members', '0', 'host'], 'a');
    expect(withDraft({ pools: [] }, ['pools', '0'], {})).toEqual({ pools: [{}] });
    expect(withDraft({ tags: ['a', 'b'] }, ['tags', '0'], undefined)).toEqual({ tags: ['b'] });
    expect(withDraft({ name: 'x' }, ['name'], undefined)).toEqual({});
    expect(JSON.stringify(draft)).toContain('"host":"a"');
  });
});

describe('refusals of the server', () => {
  const refusal = (field: readonly string[]) =>
    ({
      code: 'INVALID_INPUT',
      message: `wrong ${field.join('.')}`,
      field,
      retry: 'NEW_KEY',
      retryAfterMs: null,
    }) as never;

  test('are shown at their field, also inside others, and the rest at the top', () => {
    const { atFields, others } = placeRefusals('LoadBalancerCreateInput', [
      refusal(['input', 'name']),
      refusal(['input', 'pools', '0', 'members', '1', 'host']),
      refusal(['input', 'id']),
      refusal([]),
    ]);
    expect(atFields.map(({ path }) => path)).toEqual([['name'], ['pools', '0', 'members', '1', 'host']]);
    expect(others).toHaveLength(2);
    expect(faultsAt(atFields, ['pools', '0', 'members', '1', 'host'], true)).toEqual([
      'wrong input.pools.0.members.1.host',
    ]);
    expect(faultsAt(atFields, ['pools'], false)).toEqual([]);
    expect(faultsAt(atFields, ['pools'], true)).toHaveLength(1);
  });
});

describe('a value in words', () => {
  const fieldOf = (input: string, name: string) => {
    const field = registry.inputs[input]?.fields.find((each) => each.name === name);
    if (field === undefined) throw new Error(`no field ${name}`);
    return field;
  };
  const words = (input: string, name: string, value: Draft | undefined) =>
    inWords(fieldOf(input, name), value, new Map([['p', 'shop']]));

  test.each([
    ['GslbPoolUpdateInput', 'description', undefined, 'not set'],
    ['GslbPoolUpdateInput', 'minUp', '2', '2'],
    ['LoadBalancerUpdateInput', 'tags', ['a', 'b'], 'a, b'],
    ['LoadBalancerUpdateInput', 'tags', [], 'none'],
    ['ListenerUpdateInput', 'defaultPoolId', 'p', 'shop'],
    ['ListenerUpdateInput', 'defaultPoolId', 'other', 'other'],
    ['ObjectOptionUpdateInput', 'nearestReads', 'false', 'no'],
    ['UserUpdateInput', 'password', 'hidden', 'a new secret'],
    ['GslbPoolUpdateInput', 'failback', { mode: 'DELAYED', delayMs: '5000' }, '(Mode DELAYED, Delay (ms) 5000)'],
  ] as const)('%s %s %j: %s', (input, name, value, expected) => {
    expect(words(input, name, value as Draft | undefined)).toBe(expected);
  });
});

describe('a change', () => {
  const kind = kindOf('GslbPool');
  const action = kind.actions.update;
  if (action === undefined) throw new Error('a pool can be changed');
  const object = {
    ...{
      __typename: 'GslbPool',
      id: 'p',
      version: 4,
      name: 'web',
      description: 'the shop',
      minUp: 1,
      answerScope: 'ALL',
    },
    quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
    failback: { mode: 'IMMEDIATE', delayMs: null },
  };
  const before = draftOfObject(kind, action, object);

  test('sends only the differences', () => {
    expect(changedFields(kind, action, before, before)).toEqual({});
    expect(changedFields(kind, action, before, { ...before, minUp: '2' })).toEqual({ minUp: 2 });
    const { description: _description, ...without } = before;
    expect(changedFields(kind, action, before, without)).toEqual({ description: '' });
  });

  test("made in the meantime has three values, and the user's own changes are applied on top", () => {
    const after = draftOfObject(kind, action, { ...object, minUp: 3, name: 'shop', description: 'both' });
    const draft = { ...before, minUp: '2', description: 'both' };
    const conflicts = conflictsOf(kind, action, { began: before, after, draft });
    expect(conflicts.map(({ field, ...values }) => [field.name, values])).toEqual([
      ['name', { was: 'web', theirs: 'shop', mine: 'web' }],
      ['minUp', { was: '1', theirs: '3', mine: '2' }],
    ]);
    expect(rebased(action, draft, before, after)).toMatchObject({ minUp: '2', name: 'shop', description: 'both' });
  });

  test("to none of the form's fields is not a conflict", () => {
    const after = draftOfObject(kind, action, { ...object, version: 5 });
    expect(conflictsOf(kind, action, { began: before, after, draft: { ...before, minUp: '2' } })).toEqual([]);
  });
});
