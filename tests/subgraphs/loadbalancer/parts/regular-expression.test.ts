// Which regular expressions an L7 rule may have; HAProxy itself loads all that are accepted.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { word } from '../../../../subgraphs/loadbalancer/host/haproxy/quoting.ts';
import { regularExpressionFault } from '../../../../subgraphs/loadbalancer/parts/regular-expression.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const accepted = [
  ...[
    '^/api/v[0-9]+/',
    '\\.php$',
    '(?i)^www\\.',
    '^/(a|b)/[^/]+$',
    'a{2,3}',
    'a{2,}',
    'a{3}?',
    '(?:a|b)*',
    'a+?',
    'a|',
  ],
  ...[
    '[\\d-]',
    '\\b\\w+\\b',
    '.*foo.*',
    '(^a)+',
    'a??',
    '(a?)*',
    '[--/]',
    '[^\\]\\[]',
    "it's",
    'a"b',
    '%20',
    'a\\{b',
    'x\\$',
  ],
];
const refused: Readonly<Record<string, RegExp>> = {
  '(a': /without its \)/,
  'a)': /without its \(/,
  '[a': /without its \]/,
  '[]': /empty set/,
  '[z-a]': /ends before it begins/,
  '[[:alpha:]]': /inside of a set/,
  '*a': /nothing before it/,
  'a**': /two quantifiers/,
  'a++': /two quantifiers/,
  '^*': /repeats an anchor/,
  'a{3,2}': /ends before it begins/,
  'a{0}': /is empty/,
  'a{': /begins no repetition/,
  '(a+)+': /exponential/,
  '(a*){3}': /exponential/,
  '((a|b+)c?)*': /exponential/,
  '(a{40}){40}': /more than 1000 times/,
  'a{1001}': /more than 1000 times/,
  '(a)\\1': /\\1/,
  '(?=a)': /group that is not accepted/,
  '(?<n>a)': /group that is not accepted/,
  '\\Qa\\E': /\\Q/,
  '\\': /after a backslash/,
};

test.each(Object.entries(refused))('%s is refused, and says where', (text, why) => {
  expect(regularExpressionFault(text)).toMatch(why);
  expect(regularExpressionFault(text)).toMatch(/, at character \d+$/);
});

test('HAProxy loads every one that is accepted, also of those that chance makes', async () => {
  let seed = 20_261_121;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const pieces = [...'ab/.*+?()[]{}|^$\\-,019', '\\d', '\\.', '[^/]', '(?:', '{2,3}', '(?i)', '\\b', "'", '"', ' '];
  const made = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 1 + random(10) }, () => pieces[random(pieces.length)]).join(''),
  );
  const good = [...accepted, ...made.filter((text) => regularExpressionFault(text) === undefined)].slice(0, 3_000);
  for (const text of accepted) expect([text, regularExpressionFault(text)]).toEqual([text, undefined]);
  expect(good.length).toBeGreaterThan(1_000);
  const folder = await temporaryFolder();
  const file = join(folder.path, 'haproxy.cfg');
  const acls = good.map((text, index) => `  acl r_${index} path -m reg -- ${word(text)}`);
  await writeFile(
    file,
    ['frontend f', '  bind 127.0.0.1:1', '  mode http', '  timeout client 1s', ...acls, ''].join('\n'),
  );
  const { stderr } = await promisify(execFile)('/usr/sbin/haproxy', ['-c', '-f', file]);
  expect(stderr).not.toMatch(/ALERT/);
  await folder.remove();
}, 60_000);
