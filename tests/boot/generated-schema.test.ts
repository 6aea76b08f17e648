// The bootstrap and the product agree on whether the composed graph is current. If only the bootstrap finds it stale, each start composes it
// again.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
// @ts-expect-error It has no types.
import { isSchemaFresh } from '../../bin/boot/generated-schema.mjs';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';

const root = join(import.meta.dirname, '../..');

test('the graph that was composed for this run is current for both', () => {
  expect(readSupergraph(pathToFileURL(`${root}/`))).toContain('type Query');
  expect(isSchemaFresh(root)).toBe(true);
});
