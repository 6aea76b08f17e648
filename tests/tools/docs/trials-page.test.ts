// docs/trials.md has three sentences for each trial. A row without them produces no page, so that `npm run check` fails.
import { expect, test } from '@jest/globals';
import { trialsPage } from '../../../tools/docs/trials-page.ts';
import { trials } from '../../../trials/tables.ts';

test('each trial has a heading and three sentences', () => {
  const sections = trialsPage().split('\n## ').slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual(Object.keys(trials));
  for (const section of sections) expect(section.match(/^- \*\*.+?:\*\* .+\.$/gm)).toHaveLength(3);
});

test.each(['proves', 'failure', 'repeat'] as const)('a row without a sentence for "%s" is refused', (name) => {
  const [row] = Object.values(trials);
  if (row === undefined) throw new Error('there is no trial');
  expect(() => trialsPage({ quiet: { ...row, [name]: '' } })).toThrow('trial quiet has no sentence');
});
