// Whether generated/schema/ was made from the files as they are now: the same question as in platform/graph/generated-schema.ts.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Made from the others. */
const madeFile = 'api.graphql';

/** Also of a checkout without a graph, as in the tests of the bootstrap. */
export function isSchemaFresh(root) {
  const written = textOf(root, 'tools/compose.ts') === undefined ? [] : sdlIn(root);
  if (written.length === 0) return true;
  const hashes = JSON.parse(textOf(root, 'generated/schema-hashes.json') ?? '{}');
  return [...new Set([...Object.keys(hashes), ...written])].every((path) => {
    const content = textOf(root, path);
    return content !== undefined && createHash('sha256').update(content).digest('hex') === hashes[path];
  });
}

function sdlIn(root) {
  const names = readdirSync(join(root, 'schema'));
  return names.filter((name) => name.endsWith('.graphql') && name !== madeFile).map((name) => `schema/${name}`);
}

function textOf(root, path) {
  try {
    return readFileSync(join(root, path));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}
