// Directives that compose but would have no effect are refused, in the SDL of any subgraph and in a supergraph that was composed elsewhere.
import { describe, expect, test } from '@jest/globals';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import { composeSupergraph } from '../../../schema/compose.ts';

const link = (...imports: readonly string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", ${imports.join(', ')}])\n`;
const other = `${link()} type Query { other: Int } type Thing @key(fields: "id") { id: ID! price: Int }`;

const refused: readonly (readonly [string, string, string])[] = [
  [
    '@authenticated',
    `${link('"@authenticated"')} type Query { secret: Int @authenticated }`,
    'Query.secret has @authenticated',
  ],
  [
    '@requiresScopes',
    `${link('"@requiresScopes"')} type Query { secret: Int @requiresScopes(scopes: [["a"]]) }`,
    'Query.secret has @requiresScopes',
  ],
  [
    '@policy',
    `${link('"@policy"')} type Query { a: Secret } type Secret @policy(policies: [["a"]]) { a: Int }`,
    'Secret has @policy',
  ],
  [
    '@context and @fromContext',
    `${link('"@context"', '"@fromContext"')} type Query { user: User }
     type User @key(fields: "id") @context(name: "user") { id: ID! lang: String child: Child }
     type Child @key(fields: "id") { id: ID! text(lang: String @fromContext(field: "$user { lang }")): String }`,
    'Child.text(lang:) has @fromContext',
  ],
  [
    'a share of requests',
    `${link('"@override"')} type Query { a: Int } type Thing @key(fields: "id") { id: ID! price: Int @override(from: "other", label: "percent(50)") }`,
    'Thing.price has @override with label',
  ],
  [
    'a directive under another name',
    `${link('{ name: "@authenticated", as: "@tag" }')} type Query { secret: Int @tag }`,
    'Query.secret has @tag (@authenticated)',
  ],
  [
    'a directive with the prefix of its link',
    `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed") type Query { secret: Int @fed__authenticated }`,
    'Query.secret has @fed__authenticated (@authenticated)',
  ],
];

test.each(refused)('%s in a subgraph', (_name, sdl, fault) => {
  const compose = () => composeSupergraph(new Map(Object.entries({ own: sdl, other })));
  expect(compose).toThrow(`own: ${fault}, which this gateway does not carry out: remove it`);
});

describe('in a supergraph', () => {
  // The composer itself refuses the others.
  test.each(refused.slice(0, 5))('%s', (_name, sdl, fault) => {
    const services = Object.entries({ own: sdl, other });
    const { supergraphSdl } = composeServices(
      services.map(([name, text]) => ({ name, url: `http://${name}`, typeDefs: parse(text) })),
    );
    expect(supergraphSdl).toBeDefined();
    const [place] = fault.split(' has ');
    // A context is identified by the argument that it fills.
    const named = place?.replace(/\(.*/, '') ?? '';
    expect(() => new Supergraph(supergraphSdl ?? '')).toThrow(`${named} has @`);
  });
});

test('directives with an effect are not refused', () => {
  const own = `${link('"@shareable"', '"@override"', '"@tag"', '"@inaccessible"', '"@cost"')}
    type Query { a: Int @tag(name: "x") @cost(weight: 5) b: Int @inaccessible @deprecated(reason: "x") }
    type Thing @key(fields: "id") { id: ID! price: Int @override(from: "other") }`;
  expect(() => new Supergraph(composeSupergraph(new Map(Object.entries({ own, other }))))).not.toThrow();
});
