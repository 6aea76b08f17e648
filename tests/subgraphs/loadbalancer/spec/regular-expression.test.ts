// The regular expressions that an L7 rule may have. HAProxy itself loads every accepted one.
// needs: haproxy
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { word } from '../../../../subgraphs/loadbalancer/rules/haproxy/quoting.ts';
import { regularExpressionFault } from '../../../../subgraphs/loadbalancer/spec/regular-expression.ts';
import { temporaryFolder } from '../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../support/haproxy-node.ts';
import { ask, webMember } from '../support/members.ts';

const accepted = [
  ...[
    '^/api/v[0-9]+/',
    '\\.php$',
    '(?i)^www\\.',
    '^/(a|b)/[^/]+$',
    'a{2,3}',
    'a{2,}',
    'a{3}?',
    '(?:a|b){0,100}',
    'a+?',
    'a|',
  ],
  ...[
    '[\\d-]',
    '\\b\\w+\\b',
    '.*foo.*',
    '(^a)',
    'a??',
    '(a?)',
    '[--/]',
    '[^\\]\\[]',
    "it's",
    'a"b',
    '%20',
    'a\\{b',
    'x\\$',
  ],
  // Expressions that people write.
  ...[
    '^(\\d{1,3}\\.){3}\\d{1,3}$',
    '^/items/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    '^/[^/]+/[^/]+/[^/]+/[^/]+/edit$',
    '^.*(select|union|insert|drop|delete|update).*$',
    '^/(static|assets|img|images|css|js)/.*\\.(png|jpe?g|gif|svg|css|js|woff2?)$',
    '^/(en|de|fr)(/[a-z]{2,10}){0,5}/?$',
    '(?i)(bot|crawler|spider)',
    '\\.(js|css|png)(\\?.*)?$',
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
  '(a|b)+': /without end/,
  '(a|b){1,101}': /a group more than 100 times/,
  '(a|a){1,30}[bc]': /several ways/,
  '(ab?|b){1,30}': /several ways/,
  '((a){1,3}){1,3}': /several ways/,
  '(?i)(a|A){2,3}': /several ways/,
  '(a?b?){1,30}': /may be empty/,
  'a*a*a*b': /too many repetitions that overlap/,
  '^.*a.*b.*c$': /too many repetitions that overlap/,
  'a{1,1000}a{1,1000}a{1,1000}b': /too many repetitions that overlap/,
  [`${'a?'.repeat(60)}b`]: /too many optional parts/,
  [`${'(a|a)'.repeat(40)}b`]: /too many optional parts/,
  '(a)\\1': /\\1/,
  '(?=a)': /group that is not accepted/,
  '(?<n>a)': /group that is not accepted/,
  '\\Qa\\E': /\\Q/,
  '\\': /after a backslash/,
};

test.each(Object.entries(refused))('%s is refused, and the error names the position', (text, why) => {
  expect(regularExpressionFault(text)).toMatch(why);
  expect(regularExpressionFault(text)).toMatch(/, at character \d+$/);
});

test('HAProxy loads every accepted expression, including random ones', async () => {
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

test('PCRE2 decides every accepted expression within its limits on values of 2,048 characters', async () => {
  let seed = 20_261_125;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const pieces = [
    ...'aab.',
    'a*',
    'a+',
    '.*',
    '[ab]*',
    '\\w+',
    'b?',
    'a{1,1000}',
    '(a|b){1,100}',
    '(ab?){1,50}',
    '|',
    '^',
    '(',
    ')?',
  ];
  const made = Array.from({ length: 4_000 }, () =>
    Array.from({ length: 2 + random(7) }, () => pieces[random(pieces.length)]).join(''),
  );
  const chosen = [...new Set(made)]
    .filter((text) => regularExpressionFault(`(?:${text})q|z$`) === undefined)
    .slice(0, 60);
  expect(chosen.length).toBe(60);
  const values = ['a', 'ab', 'aab', 'b'].map((part) => part.repeat(2_048 / part.length).slice(0, 2_046));
  const node = await HaproxyNode.make();
  const web = await webMember('web');
  try {
    const pool = node.pool();
    node.member(pool, web.port);
    const listener = await node.listener({ defaultPool: pool.id });
    // The value ends in a match of the second alternative, if PCRE2 gets there. Otherwise HAProxy would report no
    // match.
    for (const [index, text] of chosen.entries())
      node.policy(
        listener,
        { action: 'REDIRECT_TO_URL', redirectUrl: 'http://found/' },
        { ruleType: 'HEADER', compareType: 'EQUAL_TO', key: 'X-Rule', value: String(index) },
        { ruleType: 'PATH', compareType: 'REGEX', value: `(?:${text})q|z$` },
      );
    await node.start();
    for (const [index, text] of chosen.entries())
      for (const value of values) {
        const asked = { path: `/${value}z`, headers: { 'x-rule': String(index) } };
        const { status } = await ask(listener.port, asked).catch((error: Error) => ({ status: error.message }));
        expect([text, value.slice(0, 4), status]).toEqual([text, value.slice(0, 4), 302]);
      }
  } finally {
    await node.stop();
    await web.stop();
  }
}, 120_000);
