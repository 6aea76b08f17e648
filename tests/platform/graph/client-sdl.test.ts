// The clients' view of the supergraph. Nothing inaccessible is visible. The public part has no root fields of administrators and machines.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, getIntrospectionQuery, graphqlSync, parse, validate } from 'graphql';
import { adminRoots, clientSdl } from '../../../platform/graph/client-sdl.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { apiSchemaOf } from '../../../platform/graph/sdl.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { apiSchemaText } from '../../../tools/api-schema.ts';

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@inaccessible", "@tag", "@key"])';
const compose = (sdl: string) => composeSupergraph(new Map([['one', `${link}\n${sdl}`]]));

describe('@inaccessible', () => {
  const supergraph = compose(`
    type Query { open(colour: Colour, hidden: Int @inaccessible): Thing closed: Secret @inaccessible tag: String }
    interface Trace @inaccessible { name: String }
    type Thing implements Trace { name: String secret: String @inaccessible }
    type Secret @inaccessible { name: String }
    union Any = Thing | Secret
    type Other { any: Any }
    enum Colour { RED BLUE @inaccessible }
    input Wish { name: String secret: String @inaccessible }
    extend type Query { other(wish: Wish): Other }`);
  const hidden = /secret|Secret|closed|hidden|BLUE|Trace|inaccessible/;

  test('is in no introspection and no SDL, and cannot be requested', () => {
    const schema = apiSchemaOf(supergraph);
    const told = JSON.stringify(graphqlSync({ schema, source: getIntrospectionQuery() }).data);
    for (const text of [told, apiSchemaText(supergraph), clientSdl(supergraph, 'admin')]) {
      expect(text).not.toMatch(hidden);
      expect(text).toContain('tag');
    }
    expect(validate(schema, parse('{ open(colour: RED) { name } tag other(wish: {}) { __typename } }'))).toEqual([]);
    for (const query of ['{ closed { name } }', '{ open { secret } }', '{ open(colour: BLUE) { name } }'])
      expect(validate(schema, parse(query))).not.toEqual([]);
  });

  test('an accessible field of an inaccessible type does not compose', () => {
    expect(() => compose('type Query { open: Int leak: Secret } type Secret @inaccessible { name: String }')).toThrow(
      /Secret.*inaccessible|inaccessible.*Secret/s,
    );
  });
});

describe('the public part', () => {
  test('omits tagged root fields, and the types that only they lead to', () => {
    const supergraph = compose(`
      type Query { thing: Thing users: [User!] @tag(name: "admin") node: Node run: Run later: Int @tag(name: "other") }
      interface Node { id: ID! }
      interface Run { state: String }
      type Job implements Run { state: String }
      type Thing implements Node { id: ID! }
      type User implements Node { id: ID! role: Role }
      enum Role { ADMIN }`);
    const schema = buildSchema(clientSdl(supergraph, 'public'));
    expect(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort()).toEqual(['later', 'node', 'run', 'thing']);
    expect(['Job', 'Thing', 'User', 'Role'].filter((name) => schema.getType(name))).toEqual(['Job', 'Thing']);
    expect(buildSchema(clientSdl(supergraph, 'admin')).getType('Role')).toBeDefined();
  });

  test('omits exactly the root fields that, by docs/security.md, no user of a project can call', () => {
    const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
    const [, section = ''] = page.split('## Who may do what\n');
    const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
    const documented = lines.flatMap((line) => {
      const [, names = '', nobody, , ...others] = line.split('|').map((cell) => cell.trim());
      const isPublic = [nobody, ...others.slice(0, 3)].some((cell) => cell !== '–');
      return isPublic ? [] : [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    });
    const tagged = [...adminRoots(parse(readSupergraph()))].map((path) => path.slice(path.indexOf('.') + 1));
    expect(tagged.sort()).toEqual(documented.sort());
    const schema = buildSchema(clientSdl(readSupergraph(), 'public'));
    const fields = ['Query', 'Mutation', 'Subscription'].flatMap((name) => {
      const type = schema.getType(name);
      return type !== undefined && 'getFields' in type ? Object.keys(type.getFields()) : [];
    });
    expect(fields.filter((name) => tagged.includes(name))).toEqual([]);
    expect(fields).toEqual(expect.arrayContaining(['loadBalancers', 'gslbFlavor', 'statusChanges', 'backendCreate']));
  });
});
