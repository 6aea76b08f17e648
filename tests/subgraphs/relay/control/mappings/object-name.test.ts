// Objects are adopted only with the names that calls of the same driver would use.
import { expect, test } from '@jest/globals';
import { nameFault } from '../../../../../subgraphs/relay/control/mappings/object-name.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { renderContext } from '../../support/render-context.ts';

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

const readers = [...drivers.values()].flatMap((driver) =>
  [...(driver.resources ?? new Map())].map(([resource]) => ({ name: `${driver.name} ${resource}`, driver, resource })),
);
const hostile = ['../../etc/passwd', '/x', 'a"; b', "a' b", 'a?b=c', 'a\nreboot', 'a,b', '$(x)', 'x'.repeat(500)];

test.each(readers)('$name: no ambiguous name reaches the device', ({ driver, resource }) => {
  for (const key of hostile)
    for (const scope of ['', 'inet filter', '/Common', 'root', ...hostile])
      for (const uuid of [null, '7', ...hostile])
        expect([scope, key, uuid, nameFault(driver, { resource, scope, key, uuid })]).not.toEqual([
          ...[scope, key, uuid, undefined],
        ]);
});

test.each(made)("the device's own id of objects made by $name is checked where it is used", ({ driver, object }) => {
  const context = renderContext(driver);
  const reading = (uuid: string) =>
    JSON.stringify(driver.resources?.get(object.resource)?.render({ ...object, uuid }, context));
  const used = hostile.filter((uuid) => reading(uuid) !== reading('7'));
  expect(used.filter((uuid) => nameFault(driver, { ...object, uuid }) === undefined)).toEqual([]);
});

test.each([
  ['onyx', 'port', 'Eth1/4'],
  ['onyx', 'port', 'Po22'],
  ['modsecurity', 'site', 'shop.lab'],
  ['openvswitch', 'interface', 'vnet0'],
])('an object that no call deletes is adopted with its usual name: %s %s %s', (name, resource, key) => {
  const driver = drivers.get(name);
  if (driver === undefined) throw new Error(`no driver ${name}`);
  expect(nameFault(driver, { resource, scope: '', key, uuid: null })).toBeUndefined();
  expect(nameFault(driver, { resource, scope: 'x', key, uuid: null })).toBeDefined();
});

test('another spelling of a name is refused, with the canonical one', () => {
  const element = { resource: 'address-set-element', scope: 'inet filter', key: 'blocked/192.0.2.7/32', uuid: null };
  expect(nameFault(linuxNftables, element)).toBe('it is called "blocked/192.0.2.7" in "inet filter"');
});
