// L7 policies by real requests: every action, rule type and compare type, with invert.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../platform/values/json.ts';
import { withoutReload } from '../../../../../subgraphs/loadbalancer/rules/haproxy/changes.ts';
import type { WantedPart } from '../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { HaproxyNode } from '../../support/haproxy-node.ts';
import { ask, type TestMember, webMember } from '../../support/members.ts';

let node: HaproxyNode;
let usual: TestMember;
let other: TestMember;
let otherPool: WantedPart;
let listener: WantedPart & { readonly port: number };
const policies: WantedPart[] = [];

beforeAll(async () => {
  [usual, other] = await Promise.all([webMember('usual'), webMember('other')]);
  node = await HaproxyNode.make();
  const pool = node.pool();
  node.member(pool, usual.port);
  otherPool = node.pool();
  node.member(otherPool, other.port);
  listener = await node.listener({ defaultPool: pool.id });
  await node.start();
});
afterAll(async () => {
  await node.stop();
  await usual.stop();
  await other.stop();
});

async function only(...given: (readonly [JsonObject, ...JsonObject[]])[]): Promise<void> {
  node.remove(...policies.splice(0));
  for (const [policy, ...rules] of given) policies.push(node.policy(listener, policy, ...rules));
  await node.apply();
}

type Request = Parameters<typeof ask>[1];
const toOther = (): JsonObject => ({ action: 'REDIRECT_TO_POOL', redirectPool: otherPool.id });

/** A rule, a request that matches, and one that does not. */
const rules: readonly (readonly [JsonObject, Request, Request])[] = [
  ...(
    [
      ['EQUAL_TO', '/a/b.txt', '/a/b.txt2'],
      ['STARTS_WITH', '/a', '/b/a'],
      ['ENDS_WITH', '.txt', '/a/b.txtx'],
      ['CONTAINS', '/b', '/a/c'],
      ['REGEX', '^/[ax]/b[.]t+xt$', '/q/b.txt'],
    ] as const
  ).flatMap(([compareType, value, miss]) => [
    [{ ruleType: 'PATH', compareType, value }, { path: '/a/b.txt?q=1' }, { path: miss }] as const,
    [
      { ruleType: 'HEADER', compareType, key: 'X-Kind', value },
      { headers: { 'x-kind': '/a/b.txt' } },
      { headers: { 'x-kind': miss } },
    ] as const,
    [
      { ruleType: 'COOKIE', compareType, key: 'kind', value },
      { headers: { cookie: 'a=b; kind=/a/b.txt' } },
      { headers: { cookie: `a=/a/b.txt; kind=${miss}` } },
    ] as const,
  ]),
  ...(
    [
      ['EQUAL_TO', 'shop.example'],
      ['STARTS_WITH', 'shop.'],
      ['ENDS_WITH', '.example'],
      ['CONTAINS', 'op.ex'],
      ['REGEX', '^(shop|cart)[.]example$'],
    ] as const
  ).map(
    ([compareType, value]) =>
      [
        { ruleType: 'HOST_NAME', compareType, value } as JsonObject,
        { headers: { host: 'SHOP.example:8080' } },
        { headers: { host: 'www.test' } },
      ] as const,
  ),
  [
    { ruleType: 'FILE_TYPE', compareType: 'EQUAL_TO', value: 'jpg' },
    { path: '/a.b/c.jpg?x=.png' },
    { path: '/a.jpg/c' },
  ],
  [{ ruleType: 'FILE_TYPE', compareType: 'REGEX', value: '^(jpe?g|png)$' }, { path: '/c.x.jpeg' }, { path: '/jpeg' }],
  // Found by a header with commas: a header is compared as a whole, not in pieces. With several lines each line is one
  // value.
  ...(
    [
      ['EQUAL_TO', 'X11 (KHTML, like Gecko)', 'X11 (KHTML, like Gecko)', 'X11 (KHTML'],
      ['STARTS_WITH', 'like', 'like Gecko, X11', 'X11 (KHTML, like Gecko)'],
      ['ENDS_WITH', '(KHTML', 'X11, (KHTML', 'X11 (KHTML, like Gecko)'],
      ['CONTAINS', 'KHTML, like', 'X11 (KHTML, like Gecko)', 'X11 (KHTML,like Gecko)'],
      ['REGEX', '^X11, (a|b)$', 'X11, b', 'b, X11, b'],
    ] as const
  ).map(
    ([compareType, value, hit, miss]) =>
      [
        { ruleType: 'HEADER', compareType, key: 'X-Agent', value } as JsonObject,
        { headers: { 'x-agent': hit } },
        { headers: { 'x-agent': miss } },
      ] as const,
  ),
  [
    { ruleType: 'HEADER', compareType: 'EQUAL_TO', key: 'X-Agent', value: 'a,b' },
    { headers: { 'x-agent': ['b', 'a,b', 'a'] } },
    { headers: { 'x-agent': ['a', 'b'] } },
  ],
  [
    { ruleType: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'shop.example' },
    { headers: { host: 'shop.example:1' } },
    { headers: { host: 'www.test,shop.example' } },
  ],
  // A value is literal, whatever it begins with or contains.
  [
    { ruleType: 'HEADER', compareType: 'EQUAL_TO', key: 'X', value: `-f /etc/passwd` },
    { headers: { x: '-f /etc/passwd' } },
    { headers: { x: 'root' } },
  ],
  [
    { ruleType: 'HEADER', compareType: 'EQUAL_TO', key: 'X', value: `a'b"c\\d $HOME #x %[src] ; { } || !` },
    { headers: { x: `a'b"c\\d $HOME #x %[src] ; { } || !` } },
    { headers: { x: 'a' } },
  ],
];

test('every rule type and compare type decides, and invert reverses it', async () => {
  for (const [rule, hit, miss] of rules) {
    const at = JSON.stringify(rule);
    await only([toOther(), rule]);
    expect([at, (await ask(listener.port, hit)).text, (await ask(listener.port, miss)).text]).toEqual([
      at,
      'other',
      'usual',
    ]);
  }
  for (const [rule, hit, miss] of rules.slice(0, 2)) {
    await only([toOther(), { ...rule, invert: true }]);
    expect([(await ask(listener.port, hit)).text, (await ask(listener.port, miss)).text]).toEqual(['usual', 'other']);
  }
}, 300_000);

test('all rules of a policy must match; a policy without rules, or a disabled one, matches nothing', async () => {
  const [path, header] = [
    { ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/a' },
    { ruleType: 'HEADER', compareType: 'EQUAL_TO', key: 'x', value: '1' },
  ];
  await only([toOther(), path, header]);
  expect((await ask(listener.port, { path: '/a' })).text).toBe('usual');
  expect((await ask(listener.port, { path: '/a', headers: { x: '1' } })).text).toBe('other');
  await only([toOther()], [{ ...toOther(), enabled: false }, path]);
  expect((await ask(listener.port, { path: '/a' })).text).toBe('usual');
}, 60_000);

test('actions: refuse, and redirect to a URL or a prefix with each code, in their order', async () => {
  const everything = { ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/' };
  const under = (value: string) => ({ ruleType: 'PATH', compareType: 'STARTS_WITH', value });
  await only([{ action: 'REJECT' }, everything]);
  expect((await ask(listener.port)).status).toBe(403);
  const redirectUrl = "https://www.example.com/a%20b?x='1'&y=$HOME#z";
  await only(
    ...[301, 302, 303, 307, 308].map(
      (code) =>
        [{ action: 'REDIRECT_TO_URL', redirectUrl, redirectCode: code, position: 5 }, under(`/u${code}`)] as const,
    ),
    [{ action: 'REDIRECT_PREFIX', redirectPrefix: 'https://www.example.com', position: 1 }, under('/p')],
  );
  for (const code of [301, 302, 303, 307, 308]) {
    const { status, headers } = await ask(listener.port, { path: `/u${code}` });
    expect([status, headers.location]).toEqual([code, redirectUrl]);
  }
  const { status, headers } = await ask(listener.port, { path: '/p/q?r=%0a' });
  expect([status, headers.location]).toEqual([302, 'https://www.example.com/p/q?r=%0a']);
  // Refusals come first, then redirects of the client, then of the pool. Within each the position decides.
  await only(
    [{ ...toOther(), position: 1 }, everything],
    [{ action: 'REDIRECT_PREFIX', redirectPrefix: 'http://two', position: 3 }, everything],
    [{ action: 'REDIRECT_TO_URL', redirectUrl: 'http://one/', position: 2 }, everything],
    [{ action: 'REJECT', position: 1000 }, under('/no')],
  );
  expect((await ask(listener.port, { path: '/no' })).status).toBe(403);
  expect((await ask(listener.port, { path: '/yes' })).headers.location).toBe('http://one/');
  // Both kinds of redirects share one order.
  await only(
    [{ action: 'REDIRECT_TO_URL', redirectUrl: 'http://one/', position: 2 }, everything],
    [{ action: 'REDIRECT_PREFIX', redirectPrefix: 'http://two', position: 1 }, everything],
  );
  expect((await ask(listener.port, { path: '/yes' })).headers.location).toBe('http://two/yes');
}, 60_000);

test('another value of a rule needs no reload, whatever it contains; other rules stay', async () => {
  const values = [
    ...[
      'one',
      'two words',
      '/etc/passwd',
      '-f',
      '--',
      '-i x',
      '@1',
      '\\',
      'a\\',
      'a\\ b',
      '<<',
      'a;b',
      "it's",
      '"x"',
      '%[src]',
    ],
    ...['$HOME', 'a#b', '{ }', '!', '||', '\\x41', '*', '0x1', 'x'.repeat(255)],
  ];
  const header = (key: string, value: string) => ({ ruleType: 'HEADER', compareType: 'EQUAL_TO', key, value });
  await only([toOther(), header('X-Value', 'none'), header('X-Same', 'same')]);
  const rule = node.parts.find(({ spec }) => spec.key === 'X-Value');
  if (rule === undefined) throw new Error('no rule');
  const answers = (value: string, same = 'same') =>
    ask(listener.port, { headers: { 'x-value': value, 'x-same': same } }).then(({ text }) => text);
  let before = 'none';
  for (const value of values) {
    node.change(rule, { value });
    expect([value, (await node.apply()).reloaded]).toEqual([value, false]);
    expect([value, await answers(value), await answers(before)]).toEqual([value, 'other', 'usual']);
    expect(await answers(value, 'another')).toBe('usual');
    before = value;
  }
  // A line of a file can't express these values.
  for (const value of ['#x', ' x', 'x ', '# ']) {
    node.change(rule, { value });
    await node.apply();
    expect([value, await answers(before)]).toEqual([value, 'usual']);
    if (value.trim() === value) expect(await answers(value)).toBe('other');
  }
}, 60_000);

test('another regular expression, file type or host name needs no reload', async () => {
  const rules: readonly (readonly [JsonObject, string, Request])[] = [
    [{ ruleType: 'PATH', compareType: 'REGEX', value: '^/a' }, '^/b[0-9]+$', { path: '/b12' }],
    [{ ruleType: 'FILE_TYPE', compareType: 'EQUAL_TO', value: 'jpg' }, 'png', { path: '/x.png' }],
    [
      { ruleType: 'HOST_NAME', compareType: 'ENDS_WITH', value: '.a.test' },
      '.b.TEST',
      { headers: { host: 'X.B.test' } },
    ],
  ];
  for (const [spec, value, hit] of rules) {
    await only([toOther(), spec]);
    expect((await ask(listener.port, hit)).text).toBe('usual');
    const rule = node.parts.find(({ kind }) => kind === 'L7Rule');
    if (rule !== undefined) node.change(rule, { value });
    expect((await node.apply()).reloaded).toBe(false);
    expect((await ask(listener.port, hit)).text).toBe('other');
  }
}, 60_000);

test('while a reload waits, a rule that compares something else also keeps its old value; a value alone does not wait', async () => {
  await only([{ action: 'REJECT' }, { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/secret' }]);
  const rule = node.parts.find(({ kind }) => kind === 'L7Rule');
  if (rule === undefined) throw new Error('there is no rule');
  const before = node.model();
  const valueAfter = (given: JsonObject) => {
    node.change(rule, given);
    const file = [...withoutReload(before, node.model()).files].find(([path]) => path.endsWith(`rule-${rule.id}`));
    return file?.[1].content;
  };
  expect(valueAfter({ value: '/other' })).toBe('/other\n');
  expect(valueAfter({ ruleType: 'HOST_NAME', value: 'secret.test' })).toBe('/secret\n');
});

test('a REJECT rule that PCRE2 may give up on rejects: longer values count as matching, unless the rule is inverted', async () => {
  // The second was once accepted. PCRE2's stack ends after some hundred rounds, and HAProxy treats that as no match.
  const short = `/${'ab'.repeat(100)}secret`;
  const long = `/${'ab'.repeat(2_000)}`;
  const rule = { ruleType: 'PATH', compareType: 'REGEX', value: '^/[ab]+secret$' };
  await only([{ action: 'REJECT' }, rule]);
  const statusOf = async (path: string, headers = {}) => (await ask(listener.port, { path, headers })).status;
  expect([await statusOf('/ab'), await statusOf(short), await statusOf(`${long}secret`), await statusOf(long)]).toEqual(
    [...[200, 403, 403, 403]],
  );
  const stored = node.parts.find(({ kind }) => kind === 'L7Rule');
  if (stored === undefined) throw new Error('there is no rule');
  // As an earlier release stored it.
  node.change(stored, { value: '^/(a|b)+secret$' });
  await node.apply();
  expect([await statusOf('/ab'), await statusOf(short), await statusOf(`${long}secret`)]).toEqual([200, 403, 403]);
  await only([{ action: 'REJECT' }, { ...rule, value: '^/[ab]+$', invert: true }]);
  expect([await statusOf('/ab'), await statusOf('/c'), await statusOf(long)]).toEqual([200, 403, 200]);
  await only([{ action: 'REJECT' }, { ruleType: 'HEADER', compareType: 'REGEX', key: 'X-Kind', value: '^b' }]);
  const headers = (...values: string[]) => ({ 'x-kind': values });
  expect([
    await statusOf('/', headers('a')),
    await statusOf('/', headers('a', 'b')),
    await statusOf('/', headers('a', 'c'.repeat(3_000))),
    await statusOf('/'),
  ]).toEqual([200, 403, 403, 200]);
  await only([toOther(), { ruleType: 'PATH', compareType: 'REGEX', value: '^/[ab]+$' }]);
  expect((await ask(listener.port, { path: long })).text).toBe('other');
}, 60_000);
