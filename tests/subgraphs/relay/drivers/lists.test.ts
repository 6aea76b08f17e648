// Every driver declares, for each list that a call can set, whether its order counts.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';

const cases = [...drivers.values()].flatMap((driver) =>
  [...driver.operations.values()].flatMap((operation) => {
    const { resource = '' } = operation.object?.(operation.example) ?? {};
    const reader = driver.resources?.get(resource);
    if (reader === undefined || operation.mapping === undefined || operation.mapping === 'deletes') return [];
    const properties = operation.argumentsSchema.properties as Readonly<Record<string, JsonObject>>;
    const lists = Object.entries(properties).filter(([, { type }]) => type === 'array');
    return lists.map(([name]) => ({ of: `${driver.name} ${operation.name}`, list: name, reader }));
  }),
);

test.each(cases)('$of: $list', ({ list, reader }) => {
  expect(Object.keys(reader.lists)).toContain(list);
});
