// The picture in the README is accurate: its commands, run again against the product, print the same words.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadBalancerPicture, recordLoadBalancer } from '../../tools/docs/pictures.ts';
import type { RecordedStep } from '../../tools/docs/recording.ts';
import { recordingIn } from '../../tools/docs/render-picture.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

const root = join(import.meta.dirname, '../..');
/** The check results of a node may arrive a moment later. */
const checked = ['ONLINE', 'UNKNOWN', 'ERROR', 'DEGRADED'];

describeWithProduct('the picture of a load balancer', () => {
  let product: Product;
  beforeAll(async () => {
    product = await runningProduct();
    await product.part('balancers');
  });
  afterAll(() => product?.tidegate('loadbalancers', 'delete', 'shop', '--yes'));

  test('its commands print the same words', async () => {
    const shown = recordingIn(await readFile(join(root, 'docs/pictures', loadBalancerPicture.file), 'utf8'));
    const place = (words: readonly string[]) => {
      const end = words.includes('--') ? words.indexOf('--') : words.length;
      const options = ['--data', product.data, ...(words[0] === 'lab' ? [] : ['--url', `${product.url}/graphql`])];
      return [...words.slice(0, end), ...options, ...words.slice(end)];
    };
    const command: [string, string] = [process.execPath, join(root, 'bin/tidegate.ts')];
    const signal = new AbortController().signal;
    const recorded = await recordLoadBalancer({ command, place, cwd: root, signal }, product.data);
    expect(recorded.map(wordsOf)).toEqual(shown.map(wordsOf));
  }, 180_000);
});

/** The states, steps and headings. Names and addresses differ. */
function wordsOf({ lines }: RecordedStep): readonly string[] {
  const words = lines.flatMap(({ text }) => text.match(/\b[A-Z_]{3,}\b/g) ?? []);
  return [...new Set(words)].filter((word) => !checked.includes(word)).sort();
}
