// The table of main fields and themes compared with the registry: every kind and field is covered, and every name
// exists.
import { describe, expect, test } from '@jest/globals';
import { formFields, readDraft } from '../../../dashboard/src/forms/draft.ts';
import { makingVerb } from '../../../dashboard/src/forms/form-address.ts';
import { arrange, layoutOf } from '../../../dashboard/src/forms/layout/arrange.ts';
import { layouts } from '../../../dashboard/src/forms/layout/layouts.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { calls, cases } from './samples.ts';

const inputs = Object.keys(registry.inputs);
const inputsOf = (name: string) => inputs.filter((input) => layoutOf(input) === layouts[name]);
const fieldsOf = (input: string) =>
  [...cases.map(({ action }) => action), ...calls].some((action) => action.input === input)
    ? formFields(input)
    : all(input);
const all = (input: string) => registry.inputs[input]?.fields ?? [];
const nothing = { draft: {}, asked: new Set<string>() };

test('every kind that can be created has a layout', () => {
  const made = Object.values(registry.kinds).filter((kind) => makingVerb(kind) !== undefined);
  expect(made.map(({ type }) => type).filter((type) => layouts[type] === undefined)).toEqual([]);
});

test.each(Object.keys(layouts))('%s: each name in its layout is a field of one of its inputs', (name) => {
  const { main, advanced = {}, where = {}, ifSeveral = [], inside = [], columns = [] } = layouts[name] ?? { main: [] };
  const further = Object.values(advanced).flat();
  const fields = new Set(inputsOf(name).flatMap((input) => all(input).map((field) => field.name)));
  const named = [...main.flat(), ...further, ...inside];
  expect([...named, ...columns].filter((field) => !fields.has(field))).toEqual([]);
  expect(named.length).toBe(new Set(named).size);
  for (const field of [...Object.keys(where), ...ifSeveral]) expect(further).toContain(field);
  for (const [field = '', ...words] of Object.values(where)) {
    expect(named).toContain(field);
    const types = inputsOf(name).flatMap((input) => all(input).filter((each) => each.name === field));
    for (const word of words) expect(Object.keys(registry.enums[types[0]?.type ?? ''] ?? {})).toContain(word);
  }
});

describe.each(inputs)('%s', (input) => {
  test('each of its fields appears once, below a heading with words', () => {
    const layout = layoutOf(input);
    const { main, advanced } = arrange(input, fieldsOf(input), nothing);
    const names = [...main.flat(), ...advanced.flatMap(({ fields }) => fields)].map(({ name }) => name);
    const inside = (layout?.inside ?? []).filter((name) => all(input).some((field) => field.name === name));
    expect([...names, ...inside].toSorted()).toEqual(
      fieldsOf(input)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(advanced.map(({ title }) => title)).not.toContain('Other');
  });

  test('required fields are among its main fields', () => {
    const { main, advanced } = arrange(input, fieldsOf(input), nothing);
    const needed = advanced.flatMap(({ fields }) => fields).filter(({ required }) => required === true);
    // The protocol of a new load balancer's listener follows from its pool.
    const followed = input === 'PoolTreeInput' ? ['memberProtocol'] : [];
    expect([main.length > 0 || needed.length === 0, needed.map(({ name }) => name)]).toEqual([true, followed]);
  });
});

test('a field that another one requires is among the main ones', () => {
  const listener = arrange('ListenerTreeInput', all('ListenerTreeInput'), {
    ...nothing,
    draft: { protocol: 'TERMINATED_HTTPS' },
  });
  expect(listener.main.flat().map(({ name }) => name)).toContain('certificateIds');
  const name = arrange('GslbCreateInput', formFields('GslbCreateInput'), { draft: {}, asked: new Set(['flavorId']) });
  expect(name.main.flat().map(({ name: field }) => field)).toContain('flavorId');
});

test('a load balancer with a name and a member serves, because its listener has the pool', () => {
  const start = layoutOf('LoadBalancerCreateInput')?.start ?? {};
  const pools = [{ name: 'default', memberProtocol: 'HTTP', members: [{ host: '192.0.2.1', port: '80' }, {}] }];
  expect(readDraft('LoadBalancerCreateInput', { ...start, name: 'web', pools })).toEqual({
    input: {
      name: 'web',
      pools: [{ name: 'default', memberProtocol: 'HTTP', members: [{ host: '192.0.2.1', port: 80 }] }],
      listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'default' }],
    },
    faults: [],
  });
});
