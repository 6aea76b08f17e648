// Every driver declares, for each kind of object, how a call is sure to act on the intended object, and proves it by
// the contract of foreign objects (../support/foreign-objects.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { defineDriver } from '../../../../subgraphs/relay/drivers/define-driver.ts';
import type { Driver, OperationSpec, ResourceReader } from '../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';

/**
 * Kinds for which a later object with the same key can't be distinguished. None may be added. A VDOM of FortiOS has a
 * name and nothing to compare; FortiOS refuses to delete one in use.
 */
const unguarded: Readonly<Record<string, readonly string[]>> = {
  fortios: ['vdom'],
};

function kindsOf({ ownership }: Driver, isIt: (by: string) => boolean): string[] {
  return Object.entries(ownership).flatMap(([kind, { by }]) => (isIt(by) ? [kind] : []));
}

function hasContract({ name }: Driver): boolean {
  const folder = join(import.meta.dirname, name);
  const texts = readdirSync(folder).filter((file) => file.endsWith('.test.ts'));
  return texts.some((file) => readFileSync(join(folder, file), 'utf8').includes('foreignObjects('));
}

test.each([...drivers.values()].map((driver) => [driver.name, driver] as const))(
  '%s declares which of its kinds it compares, and its tests prove it',
  (name, driver) => {
    expect(kindsOf(driver, (by) => by === 'KEY_ALONE').sort()).toEqual([...(unguarded[name] ?? [])].sort());
    const isCompared = kindsOf(driver, (by) => by !== 'KEY' && by !== 'KEY_ALONE').length > 0;
    expect(hasContract(driver)).toBe(isCompared);
  },
);

test('a kind that a driver does not declare, and one that it does not have, are refused', () => {
  const set: OperationSpec<Record<string, never>> = {
    ...{ name: 'thing.set', summary: '', category: 'USER', effect: 'IDEMPOTENT', example: {}, argumentsSchema: {} },
    object: () => ({ resource: 'thing', scope: '', key: 'one' }),
    render: () => ({ kind: 'exec', command: '' }),
    interpret: () => ({ state: 'SUCCEEDED', result: null }),
  };
  const withOwnership =
    (ownership: Driver['ownership'], resources: Record<string, ResourceReader> = {}) =>
    () =>
      defineDriver({
        ...{ name: 'x', family: 'ROUTER', summary: '', versions: '', triedAgainst: '', ports: { ssh: 22 } },
        ...{ credentialFields: [], typed: {}, operations: [set], resources, ownership },
        health: { render: () => ({ kind: 'exec', command: '' }), interpret: () => undefined },
      });
  expect(withOwnership({})).toThrow('does not declare what makes sure that a thing is the meant one');
  expect(withOwnership({ thing: { by: 'MARK' }, other: { by: 'MARK' } })).toThrow('the ownership of other');
  expect(withOwnership({ thing: { by: 'MARK' } })).not.toThrow();
  const reader: ResourceReader = {
    ...{ lists: {}, own: [], interpret: () => ({ finding: 'ABSENT' }) },
    render: () => ({ kind: 'exec', command: '' }),
  };
  expect(withOwnership({ thing: { by: 'MARK' } }, { other: reader })).toThrow('that a other is the meant one');
});
