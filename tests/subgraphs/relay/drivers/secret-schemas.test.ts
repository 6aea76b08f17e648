// A driver can't declare a secret argument that would be shown somewhere.
import { expect, test } from '@jest/globals';
import { isSecretName } from '../../../../platform/values/secret-names.ts';
import { defineDriver } from '../../../../subgraphs/relay/drivers/define-driver.ts';
import type { Effect, JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { argumentsSchema } from '../../../../subgraphs/relay/drivers/json.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { typedMutations } from '../../../../subgraphs/relay/spec/families.ts';

function withArgument(name: string, schema: JsonObject, effect: Effect = 'IDEMPOTENT') {
  return () =>
    defineDriver({
      ...{ name: 'x', family: 'ROUTER', summary: '', versions: '', triedAgainst: '', ports: { ssh: 22 } },
      ...{ credentialFields: [], typed: {}, ownership: {} },
      operations: [
        {
          ...{ name: 'thing.set', summary: '', category: 'USER', effect, example: {} },
          argumentsSchema: argumentsSchema({ [name]: schema }),
          render: () => ({ kind: 'exec', command: '' }),
          interpret: () => ({ state: 'SUCCEEDED', result: null }),
        },
      ],
      health: { render: () => ({ kind: 'exec', command: '' }), interpret: () => undefined },
    });
}

const secret: JsonObject = { type: 'string', minLength: 4, writeOnly: true };

test("a secret argument needs a secret's name, at least four characters, and an operation that makes changes", () => {
  expect(withArgument('password', secret)).not.toThrow();
  expect(withArgument('authKey', secret)).toThrow('the name of a secret');
  expect(withArgument('password', { type: 'string' })).toThrow('must be writeOnly');
  expect(withArgument('password', { ...secret, minLength: 3 })).toThrow('at least 4 characters');
  expect(withArgument('password', { type: 'object', writeOnly: true })).toThrow('must be a string');
  expect(withArgument('password', secret, 'READ')).toThrow('is a READ');
});

test('every driver and every typed mutation follows the rule', () => {
  expect(drivers.size).toBeGreaterThan(8);
  for (const { fields } of typedMutations)
    for (const [name, { schema }] of Object.entries(fields))
      expect([name, schema.writeOnly === true]).toEqual([name, isSecretName(name)]);
});
