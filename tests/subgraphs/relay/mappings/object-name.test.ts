// Objects are adopted only with the names that calls of the same driver would use.
import { expect, test } from '@jest/globals';
import { validateArguments } from '../../../../subgraphs/relay/drivers/arguments.ts';
import { linuxNftables } from '../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { nameFault } from '../../../../subgraphs/relay/mappings/object-name.ts';

const made = [...drivers.values()].flatMap((driver) =>
  [...driver.operations.values()].flatMap((operation) => {
    const checked = validateArguments(operation, operation.example);
    if (operation.mapping !== 'creates' || !checked.ok) return [];
    const object = operation.object?.(checked.args);
    return object === undefined || driver.resources?.get(object.resource)?.remove === undefined
      ? []
      : [{ driver, name: `${driver.name} ${operation.name}`, object }];
  }),
);

test('every driver has objects that can be adopted', () => {
  expect(new Set(made.map(({ driver }) => driver.name))).toEqual(new Set(drivers.keys()));
});

// The name of a security group rule is built from its settings, and compared with those that Neutron shows.
test.each(made.filter(({ object }) => object.resource !== 'security-group-rule'))(
  "objects made by $name can be adopted, and hostile names can't",
  ({ driver, object }) => {
    expect(nameFault(driver, { ...object, uuid: null })).toBeUndefined();
    for (const key of [
      '',
      '../../etc/passwd',
      `${object.key} `,
      `${object.key}"; x`,
      `${object.key}?x=1`,
      'x'.repeat(600),
    ])
      expect([key, nameFault(driver, { ...object, key, uuid: null })]).not.toEqual([key, undefined]);
    const scope = `${object.scope} x/../..`;
    expect(nameFault(driver, { ...object, scope, uuid: null })).toBeDefined();
  },
);

test('another spelling of a name is refused, with the right one', () => {
  const element = { resource: 'address-set-element', scope: 'inet filter', key: 'blocked/192.0.2.7/32', uuid: null };
  expect(nameFault(linuxNftables, element)).toBe('it is called "blocked/192.0.2.7" in "inet filter"');
});
