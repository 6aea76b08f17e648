// `$filter` of ASM's collections, as far as clients use it: comparisons by `eq` and `contains(…)`, joined by `and`. iControl REST
// User Guide 13.1, section OData query parameters; a value may be in single quotes.

import { type JsonObject, mcpRefusal } from './rest.ts';

export function readFilter(text: string): (item: JsonObject) => boolean {
  if (text === '') return () => true;
  const tests = text.split(/\s+and\s+/).map(readTest);
  return (item) => tests.every((test) => test(item));
}

function readTest(text: string): (item: JsonObject) => boolean {
  const [, containing, part] = /^contains\((\w+),\s*'([^']*)'\)$/.exec(text) ?? [];
  if (containing !== undefined) return (item) => String(item[containing] ?? '').includes(part ?? '');
  const [, field, quoted, bare] = /^(\w+)\s+eq\s+(?:'([^']*)'|([^\s']+))$/.exec(text) ?? [];
  if (field !== undefined) return (item) => String(item[field] ?? '') === (quoted ?? bare);
  throw mcpRefusal(400, `Could not parse the filter '${text}'.`, 26_345_475);
}
