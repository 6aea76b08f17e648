import { describe, expect, test } from '@jest/globals';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';

const every = [...drivers.values()].flatMap((driver) =>
  [...driver.operations.values()].map((operation) => ({ name: `${driver.name} ${operation.name}`, driver, operation })),
);

describe.each(every)('$name', ({ operation }) => {
  test('its example matches its schema', () => {
    expect(validateArguments(operation, operation.example)).toMatchObject({ ok: true });
  });

  test('an unknown argument is named', () => {
    expect(validateArguments(operation, { ...operation.example, 'no/such~one': 1 })).toEqual({
      ok: false,
      faults: [{ path: ['no/such~one'], message: 'is not an argument of this operation' }],
    });
  });

  test('has what its effect requires', () => {
    if (operation.effect === 'READ') {
      expect(operation.object).toBeUndefined();
      expect(operation.mapping).toBeUndefined();
      return;
    }
    const checked = validateArguments(operation, operation.example);
    if (!checked.ok) throw new Error('the example does not fit');
    expect(operation.object?.(checked.args)).toEqual({
      resource: expect.any(String),
      scope: expect.any(String),
      key: expect.any(String),
    });
    expect(operation.renderDryRun === undefined).toBe(operation.interpretDryRun === undefined);
    // A check of the device says how deep it is.
    expect(operation.renderDryRun === undefined).toBe(operation.checks === undefined);
  });
});

/** The paths of patterns without words for people, which their faults quote. */
function speechless(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { pattern, description } = schema as { readonly pattern?: unknown; readonly description?: unknown };
  const own = typeof pattern === 'string' && typeof description !== 'string' ? [path] : [];
  return [...own, ...Object.entries(schema).flatMap(([name, part]) => speechless(part, `${path}.${name}`))];
}

test('every pattern of every driver is described in words', () => {
  const found = [...drivers.values()].flatMap((driver) => [
    ...speechless(driver.optionsSchema, `${driver.name} options`),
    ...[...driver.operations.values()].flatMap((one) => speechless(one.argumentsSchema, `${driver.name} ${one.name}`)),
  ]);
  expect(found).toEqual([]);
});

const nftables = drivers.get('linux-nftables');
const check = (name: string, args: unknown) => {
  const operation = nftables?.operations.get(name);
  if (!operation) throw new Error(name);
  return validateArguments(operation, args);
};

describe('faults', () => {
  test.each([
    ['setElement.add', 'text', [[]]],
    ['setElement.add', null, [[]]],
    ['setElement.add', [], [[]]],
    ['setElement.add', {}, [['set'], ['address']]],
    ['setElement.add', { set: 'a b', address: 'example.org' }, [['set'], ['address']]],
    ['setElement.add', { set: 'a', address: '10.0.0.1/8' }, [['address']]],
    ['setElement.add', { set: 'a', address: 7 }, [['address']]],
    ['setElement.add', { set: 'a', address: '::1', comment: 'say "hi"' }, [['comment']]],
    ['setElement.add', { set: 'a', address: '::1', comment: 'line\nbreak' }, [['comment']]],
    ['setElement.add', { set: 'a', address: '::1', comment: 'ä'.repeat(45) }, [['comment']]],
    ['setElement.add', { set: 'a', address: '::1', comment: 'x'.repeat(89) }, [['comment']]],
    ['setElement.add', { set: 'a'.repeat(64), address: '::1' }, [['set']]],
    ['setElement.add', { set: 'a', address: '::1', table: '../x' }, [['table']]],
    ['set.create', { set: 'fwd' }, [['set']]],
    ['chain.create', { chain: 'drop' }, [['chain']]],
    ['rule.create', { name: 'r', action: 'allow' }, [['action']]],
    ['rule.create', { name: 'r', action: 'drop', destinationPort: 443 }, [['destinationPort']]],
    ['rule.create', { name: 'r', action: 'drop', protocol: 'icmp', destinationPort: 443 }, [['destinationPort']]],
    ['rule.create', { name: 'r', action: 'drop', protocol: 'tcp', destinationPort: 0 }, [['destinationPort']]],
    ['rule.create', { name: 'r', action: 'drop', source: {} }, [['source']]],
    ['rule.create', { name: 'r', action: 'drop', source: { set: 's', address: '::1' } }, [['source']]],
    ['rule.create', { name: 'r', action: 'drop', source: { address: 'x' } }, [['source', 'address']]],
    [
      'rule.create',
      { name: 'r', action: 'drop', source: { address: '::1', setIpVersion: 6 } },
      [['source', 'setIpVersion']],
    ],
    [
      'rule.create',
      { name: 'r', action: 'drop', source: { address: '::1' }, destination: { address: '192.0.2.1' } },
      [['destination']],
    ],
    ['rule.create', { name: 'r', action: 'drop', family: 'ip', source: { address: '::1' } }, [['family']]],
    ['rule.delete', { name: 'r', handle: 1.5 }, [['handle']]],
  ])('%s of %j', (name, args, paths) => {
    const checked = check(name, args);
    expect(checked.ok).toBe(false);
    expect(checked.ok ? [] : checked.faults.map((fault) => fault.path)).toEqual(paths);
  });

  test.each([
    ['setElement.add', { set: 'a b', address: '10.0.0.1' }, /^does not fit: .*letters, digits/],
    ['setElement.add', { set: 'a', address: '10.0.0.1/8' }, /^does not fit: .*host bits/],
  ])('%s of %j quotes the description, not the regular expression', (name, args, message) => {
    const checked = check(name, args);
    expect(checked.ok ? [] : checked.faults.map((fault) => fault.message)).toEqual([expect.stringMatching(message)]);
  });

  test('defaults are added to a copy', () => {
    const args = { set: 'blocked', address: '203.0.113.7' };
    expect(check('setElement.add', args)).toEqual({ ok: true, args: { ...args, family: 'inet', table: 'filter' } });
    expect(Object.keys(args)).toEqual(['set', 'address']);
  });
});
