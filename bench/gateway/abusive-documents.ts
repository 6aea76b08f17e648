// The worst requests that the limits of a gateway allow or refuse, for the graph of device-graph.ts. Each request is new, because its text
// contains its own number.
import { workloadNamed } from './graphs.ts';

const { query } = workloadNamed('devices', 'fanout');

interface AbusiveRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

const each = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');
const devices = (fields: string): string => `{ devices(first: 1, from: 1) { ${fields} } }`;

/** Documents by the part that they strain. `number` identifies the document. */
const kinds: Readonly<Record<string, (number: number) => AbusiveRequest>> = {
  // A valid document in which each field is compared with each other.
  fragments: (number) => ({
    query: `query F${number} ${devices(each(300, (index) => `...F${index}`))} ${each(300, (index) => `fragment F${index} on Device { name }`)}`,
  }),
  'faulty fragments': (number) => ({
    query: `query F${number} ${devices(each(390, (index) => `...F${index}`))} ${each(390, (index) => `fragment F${index} on Device { no }`)}`,
  }),
  'nested fragments': (number) => ({
    query: `query N${number} ${devices('...F0')} ${each(300, (index) => `fragment F${index} on Device { ...F${index + 1} ...F${index + 1} }`)} fragment F300 on Device { name }`,
  }),
  // Valid.
  'aliases of roots': (number) => ({
    query: `query A${number} { ${each(19, (index) => `a${index}: devices(first: 1, from: ${index}) { ${'id name '.repeat(90)} }`)} }`,
  }),
  'repeated fields': (number) => ({ query: `query R${number} ${devices('id name '.repeat(1_950))}` }),
  'unknown fields': (number) => ({ query: `query U${number} ${devices(each(3_900, (index) => `no${index}`))}` }),
  'unused variables': (number) => ({
    query: `query V${number}(${each(990, (index) => `$v${index}: Int`)}) ${devices('id')}`,
  }),
  'many operations': (number) => ({ query: each(780, (index) => `query O${number}x${index} { __typename }`) }),
  'a list': (number) => ({ query: `query L${number} { devices(first: [${each(3_900, () => '1')}], from: 1) { id } }` }),
  'lines of a text': (number) => ({
    query: `query B${number} { devices(first: 1, from: """${'x\n'.repeat(80_000)}""") { id } }`,
  }),
  blanks: (number) => ({ query: `query S${number} ${devices('id')} ${'\n '.repeat(80_000)}` }),
  tokens: (number) => ({ query: `query T${number} { ${'a '.repeat(120_000)} }` }),
  'half a document': (number) => ({ query: `query H${number} { ${'a '.repeat(3_900)}` }),
  nesting: (number) => ({ query: `query D${number} ${'{ a '.repeat(60_000)}` }),
  introspection: (number) => ({
    query: `query I${number} { __schema { types { ...T } } } fragment T on __Type { ${each(30, (index) => `f${index}: fields { ...F }`)} } fragment F on __Field { ${each(900, () => 'name')} }`,
  }),
  // Variables for a known document.
  'faulty variables': (number) => ({
    query,
    variables: { from: number, windowSeconds: 60, ...Object.fromEntries(manyNumbers(15_000)) },
  }),
  'a faulty variable': (number) => ({
    query,
    variables: { from: Array.from({ length: 60_000 }, () => number), windowSeconds: 60 },
  }),
};
const names = Object.keys(kinds);

/** The kinds take turns. */
export function abusiveRequest(number: number): AbusiveRequest & { readonly kind: string } {
  const kind = names[number % names.length] ?? '';
  const request = kinds[kind]?.(number);
  if (request === undefined) throw new Error(`there is no kind ${kind}`);
  return { ...request, kind };
}

function manyNumbers(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`v${index}`, index]);
}
