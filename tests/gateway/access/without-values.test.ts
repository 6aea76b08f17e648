// The messages of graphql-js for every kind of wrong input that contains a secret. The remaining message says where the fault is and why.
import { describe, expect, test } from '@jest/globals';
import { buildSchema, execute, getVariableValues, type OperationDefinitionNode, parse, validate } from 'graphql';
import { withoutValues } from '../../../gateway/access/without-values.ts';

const schema = buildSchema(`
  enum Profile { MODERN LEGACY }
  input Credentials { username: String!, password: String, pin: Int, list: [String!], flag: Boolean, id: ID, rate: Float }
  input Choice @oneOf { password: String, key: String }
  input Create { name: String!, credentials: Credentials, profile: Profile, choice: Choice }
  type Query { ok(input: Create, text: String): String }
`);
const secret = 'hunter2 at "input.name"; Field "x';

function ofVariables(input: unknown): string[] {
  const document = parse('query ($input: Create!) { ok(input: $input) }');
  const definitions = (document.definitions[0] as OperationDefinitionNode).variableDefinitions ?? [];
  const { errors } = getVariableValues(schema, definitions, { input });
  return (errors ?? []).map(({ message }) => message);
}

function ofDocument(literal: string): string[] {
  try {
    return validate(schema, parse(`{ ok(input: ${literal}) }`)).map(({ message }) => message);
  } catch (error) {
    return [(error as Error).message];
  }
}

const text = JSON.stringify(secret);
const password = { password: secret };

describe('for variables', () => {
  test.each<[unknown, string]>([
    [
      { name: 'x', credentials: password },
      'Variable "$input" got an invalid value at "input.credentials"; Field "username" of required type "String!" was not provided.',
    ],
    [
      { credentials: { username: 'u', ...password } },
      'Variable "$input" got an invalid value; Field "name" of required type "String!" was not provided.',
    ],
    [
      { name: 'x', credentials: { username: 'u', passwort: secret } },
      'Variable "$input" got an invalid value at "input.credentials"; Field "passwort" is not defined by type "Credentials". Did you mean "password"?',
    ],
    [
      { name: 'x', credentials: secret },
      'Variable "$input" got an invalid value at "input.credentials"; Expected type "Credentials" to be an object.',
    ],
    [secret, 'Variable "$input" got an invalid value; Expected type "Create" to be an object.'],
    [
      { name: 'x', credentials: { username: 'u', password } },
      'Variable "$input" got an invalid value at "input.credentials.password"; String cannot represent a non string value.',
    ],
    [
      { name: 'x', credentials: { username: 'u', pin: secret } },
      'Variable "$input" got an invalid value at "input.credentials.pin"; Int cannot represent non-integer value.',
    ],
    [
      { name: 'x', credentials: { username: 'u', list: ['a', [secret]] } },
      'Variable "$input" got an invalid value at "input.credentials.list[1]"; String cannot represent a non string value.',
    ],
    [
      { name: null, credentials: { username: 'u', ...password } },
      'Variable "$input" got an invalid value at "input.name"; Expected non-nullable type "String!" not to be null.',
    ],
    [
      { name: 'x', profile: 'MODREN' },
      'Variable "$input" got an invalid value at "input.profile"; Value "MODREN" does not exist in "Profile" enum. Did you mean the enum value "MODERN"?',
    ],
    [{ name: 'x', profile: secret }, 'Variable "$input" got an invalid value'],
  ])('%j', (input, wanted) => {
    const messages = ofVariables(input);
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) expect(withoutValues(message)).not.toContain('hunter2');
    expect(messages.map(withoutValues)).toEqual([expect.stringMatching(new RegExp(`^${escaped(wanted)}`))]);
  });

  test('every field of every kind, with the secret in every form', () => {
    const shapes = [
      secret,
      [secret],
      { [secret]: secret },
      { password: secret },
      [[{ username: secret }]],
      7,
      true,
      null,
    ];
    const names = ['username', 'password', 'pin', 'list', 'flag', 'id', 'rate', secret];
    let seen = 0;
    for (const name of names)
      for (const shape of shapes)
        for (const extra of [{}, { username: secret }])
          for (const message of ofVariables({ name: 'x', credentials: { ...extra, [name]: shape } })) {
            seen += 1;
            expect(withoutValues(message)).not.toContain('hunter2');
          }
    expect(seen).toBeGreaterThan(60);
  });
});

describe('for documents', () => {
  test.each([
    [`{name: "x", credentials: ${text}}`, 'Expected value of type "Credentials".'],
    [`{name: "x", credentials: {username: 7, password: ${text}}}`, 'String cannot represent a non string value.'],
    [
      `{name: ${text}, credentials: {password: [${text}], username: "u"}}`,
      'String cannot represent a non string value.',
    ],
    [`{name: "x", credentials: {password: hunter2, username: "u"}}`, 'String cannot represent a non string value.'],
    [
      `{name: "x", credentials: {password: ${text}}}`,
      'Field "Credentials.username" of required type "String!" was not provided.',
    ],
    [`{name: "x" credentials: {password ${text}}}`, 'Syntax Error: Expected ":", found String.'],
    [`{name: "x" credentials: {password """hunter2"""}}`, 'Syntax Error: Expected ":", found BlockString.'],
    [`{name: "x" credentials: {password hunter2}}`, 'Syntax Error: Expected ":", found Name.'],
    [`{name: "x" credentials: {password: "hunter2}}`, 'Syntax Error: Unterminated string.'],
  ])('%s', (literal, wanted) => {
    const messages = ofDocument(literal).map(withoutValues);
    expect(messages).toEqual(expect.arrayContaining([wanted]));
    expect(messages.join('\n')).not.toContain('hunter2');
  });

  test('for an execution', async () => {
    const document = parse(`{ ok(text: {password: ${text}}) }`);
    const { errors } = await execute({ schema, document, rootValue: { ok: () => 'x' } });
    expect(errors?.map(({ message }) => withoutValues(message))).toEqual(['Argument "text" has an invalid value.']);
  });
});

test('scalars of this graph keep their messages', () => {
  for (const reason of [
    'Port: 70000 is not a port; give a whole number from 1 to 65535.',
    'DateTime: "yesterday" is not an RFC 3339 time; write it like 2026-01-31T12:00:00.000Z.',
    `IpOrCidr: "10.0.0.1/8" is not an IPv4 or IPv6 address or block; a block's host bits must be zero, for example 203.0.113.0/24.`,
  ]) {
    const message = `Variable "$input" got invalid value 7 at "input.port"; ${reason}`;
    expect(withoutValues(message)).toBe(`Variable "$input" got an invalid value at "input.port"; ${reason}`);
    expect(withoutValues(reason)).toBe(reason);
  }
});

test('other messages are unchanged', () => {
  for (const message of [
    'Cannot query field "x" on type "Query".',
    'The operation has depth 20; at most 12 is allowed. Split it.',
    'Syntax Error: Expected "}", found <EOF>.',
    'Internal error. The log has the details under request r1.',
  ])
    expect(withoutValues(message)).toBe(message);
});

function escaped(words: string): string {
  return words.replace(/[$.[\]?]/g, '\\$&');
}
