// Possible messages of a NETCONF server. Everything is bounded, and a message that proves nothing is not a verdict on a
// change.
import { afterEach, describe, expect, test } from '@jest/globals';
import { netconf } from '../../../../subgraphs/relay/drivers/netconf/driver.ts';
import { framed, MessageReader } from '../../../../subgraphs/relay/transports/netconf-framing.ts';
import { DriverCaller } from '../support/driver-caller.ts';
import { type Answers, errorOf, helloOf, ok, replyOf, SaidNetconf } from '../support/said-netconf.ts';

const modules = { acme: 'urn:acme' };
const args = { path: "/acme:things/thing[name='a']", value: { size: 1 } };
const entry = '<things xmlns="urn:acme"><thing><name>a</name><size>1</size></thing></things>';
const data = (content: string) => `<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">${content}</data>`;

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

async function meet(hello?: string | Buffer, options = {}, deadlineMs = 5_000) {
  const server = await SaidNetconf.start(hello);
  started.push(() => server.ssh.stop());
  const { host, port, hostKeySha256 } = server.ssh;
  const caller = new DriverCaller(
    netconf,
    { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username: 'netops', password: 'secret' } },
    { options: { modules, ...options }, deadlineMs, connectTimeoutMs: 5_000 },
  );
  started.push(() => caller.stop());
  return { server, caller };
}

/** Like `ok`, except for one request. */
const but =
  (request: string, said: ReturnType<Answers> | Answers): Answers =>
  (asked, id, message) => {
    if (asked !== request) return asked.startsWith('get') ? data(entry) : ok(asked, id, message);
    return typeof said === 'function' ? said(asked, id, message) : said;
  };

test('a call is one lock, one edit, one commit and one read', async () => {
  const { server, caller } = await meet();
  server.answer(but('none', 'nothing'));
  expect(await caller.call('entry.create', args)).toEqual({ state: 'SUCCEEDED', result: null });
  expect(await caller.call('entry.replace', args)).toEqual({ state: 'SUCCEEDED', result: null });
  const one = ['lock', 'discard-changes', 'edit-config', 'commit', 'get-config'];
  expect(server.asked.filter((request) => request !== 'unlock')).toEqual([...one, ...one]);
  expect(server.ssh.connections).toBe(1);
});

test('base:1.0 has marks at the ends of messages', async () => {
  const { server, caller } = await meet(
    helloOf('urn:ietf:params:netconf:base:1.0', 'urn:ietf:params:netconf:capability:candidate:1.0'),
  );
  server.answer(but('none', 'nothing'));
  expect(await caller.call('entry.create', args)).toEqual({ state: 'SUCCEEDED', result: null });
});

test.each([
  ['ok, but nothing is there', but('get-config', data('')), 'UNKNOWN READ_BACK_DIFFERS'],
  ['ok, but another value is there', but('get-config', data(entry.replace('>1<', '>2<'))), 'UNKNOWN READ_BACK_DIFFERS'],
  [
    'ok, but in another namespace',
    but('get-config', data(entry.replace('urn:acme', 'urn:acme2'))),
    'UNKNOWN UNREADABLE_REPLY',
  ],
  ['ok, but twice', but('get-config', data(entry + entry)), 'UNKNOWN UNREADABLE_REPLY'],
  [
    'a reply in another namespace',
    but('commit', (_request, id) =>
      Buffer.from(framed(replyOf(id, '<ok/>').replace('base:1.0', 'base:2.0'), 'chunked')),
    ),
    'UNKNOWN UNREADABLE_REPLY',
  ],
  [
    'a reply to another request',
    but('commit', () => framed(replyOf('999', '<ok/>'), 'chunked')),
    'UNKNOWN UNREADABLE_REPLY',
  ],
  [
    'two replies at once',
    but('commit', (_request, id) =>
      Buffer.concat([framed(replyOf(id, '<ok/>'), 'chunked'), framed(replyOf(id, '<ok/>'), 'chunked')]),
    ),
    'UNKNOWN UNREADABLE_REPLY',
  ],
  ['ok and an error', but('commit', `<ok/>${errorOf('operation-failed')}`), 'UNKNOWN UNREADABLE_REPLY'],
  ['two oks', but('commit', '<ok/><ok/>'), 'UNKNOWN UNREADABLE_REPLY'],
  ['nothing in a reply', but('commit', ''), 'UNKNOWN UNREADABLE_REPLY'],
  [
    'an XML bomb',
    but('commit', (_request, id) =>
      framed(`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${replyOf(id, '&b;')}`, 'chunked'),
    ),
    'UNKNOWN UNREADABLE_REPLY',
  ],
  ['depth', but('commit', '<a>'.repeat(5_000) + '</a>'.repeat(5_000)), 'UNKNOWN UNREADABLE_REPLY'],
  ['no XML', but('commit', () => framed('hello', 'chunked')), 'UNKNOWN UNREADABLE_REPLY'],
  ['no framing', but('commit', () => Buffer.from('<ok/>')), 'UNKNOWN UNREADABLE_REPLY'],
  ['a chunk of nothing', but('commit', () => Buffer.from('\n#0\n\n##\n')), 'UNKNOWN UNREADABLE_REPLY'],
  ['a chunk of 4 GB', but('commit', () => Buffer.from('\n#4294967295\n')), 'UNKNOWN REPLY_TOO_LONG'],
  [
    '50 MB',
    but('get-config', () =>
      Array.from({ length: 800 }, () => Buffer.concat([Buffer.from('\n#65536\n'), Buffer.alloc(65_536, 'x')])),
    ),
    'UNKNOWN REPLY_TOO_LONG',
  ],
  ['a refusal of the edit', but('edit-config', errorOf('invalid-value')), 'FAILED DEVICE_REFUSED'],
  ['a refusal of the commit', but('commit', errorOf('operation-failed')), 'FAILED DEVICE_REFUSED'],
  ['a commit in part', but('commit', errorOf('partial-operation')), 'UNKNOWN PARTLY_APPLIED'],
  ['a look that is refused', but('get-config', errorOf('access-denied')), 'UNKNOWN READ_BACK_FAILED'],
  [
    'a lock of another',
    but('lock', errorOf('lock-denied', '<error-info><session-id>3</session-id></error-info>')),
    'FAILED DEVICE_BUSY',
  ],
  ['the end after the edit', but('edit-config', 'end'), 'NO_VERDICT CONNECTION_LOST'],
  ['the end after the commit', but('commit', 'end'), 'NO_VERDICT CONNECTION_LOST'],
  ['the end after the lock', but('lock', 'end'), 'NOT_SENT CONNECT_FAILED'],
  ['rubbish instead of a lock', but('lock', () => Buffer.from('rubbish')), 'NOT_SENT PROTOCOL_FAILED'],
] as const)('%s', async (_what, answers, outcome) => {
  const { server, caller } = await meet();
  server.answer(answers);
  const refused = await caller.refused('entry.create', args);
  expect(refused).toBe(outcome);
});

test('silence is not a verdict, and late messages are not sent', async () => {
  const { server, caller } = await meet(undefined, {}, 300);
  server.answer(but('edit-config', 'nothing'));
  expect(await caller.refused('entry.create', args)).toBe('NO_VERDICT NO_REPLY');
  expect(server.asked).not.toContain('commit');
  server.answer(but('lock', 'nothing'));
  expect(await caller.refused('entry.create', args)).toBe('NOT_SENT CONNECT_FAILED');
  expect(server.asked).not.toContain('edit-config');
});

test('an unrequested reply ends the session', async () => {
  const { server, caller } = await meet();
  server.answer(
    but('get-config', (_request, id) => [
      framed(replyOf(id, data('')), 'chunked'),
      framed(replyOf(id, data(entry)), 'chunked'),
    ]),
  );
  for (let call = 0; call < 3; call += 1) await caller.call('data.read');
  expect(server.ssh.connections).toBeGreaterThan(1);
});

describe('without a candidate', () => {
  const running = 'urn:ietf:params:netconf:capability:writable-running:1.0';
  const base = 'urn:ietf:params:netconf:base:1.1';

  test('an edit error is a refusal if the server rolls back', async () => {
    const { server, caller } = await meet(
      helloOf(base, running, 'urn:ietf:params:netconf:capability:rollback-on-error:1.0'),
    );
    server.answer(but('edit-config', errorOf('invalid-value')));
    expect(await caller.refused('entry.create', args)).toBe('FAILED DEVICE_REFUSED');
    expect(server.asked.slice(0, 2)).toEqual(['lock', 'edit-config']);
  });

  test('an edit error may leave a part behind if the server does not roll back', async () => {
    const { server, caller } = await meet(helloOf(base, running));
    server.answer(but('edit-config', errorOf('invalid-value')));
    expect(await caller.refused('entry.create', args)).toBe('UNKNOWN PARTLY_APPLIED');
    server.answer(but('edit-config', errorOf('data-exists')));
    expect(await caller.refused('entry.create', args)).toBe('FAILED ALREADY_EXISTS');
  });

  test('nothing is sent to a server that allows no writes', async () => {
    const { server, caller } = await meet(helloOf(base));
    expect(await caller.refused('entry.create', args)).toBe('NOT_SENT PROTOCOL_FAILED');
    expect(server.asked).toEqual([]);
    expect(await caller.done('data.read')).toEqual({ data: {} });
  });
});

test.each([
  [
    'no session-id',
    helloOf('urn:ietf:params:netconf:base:1.1').replace(/<session-id>7<.session-id>/, ''),
    'PROTOCOL_FAILED',
  ],
  ['another protocol', helloOf('urn:ietf:params:netconf:base:9.9'), 'PROTOCOL_FAILED'],
  [
    'another namespace',
    helloOf('urn:ietf:params:netconf:base:1.1').replace('netconf:base:1.0', 'other:base:1.0'),
    'PROTOCOL_FAILED',
  ],
  ['two megabytes without an end', Buffer.alloc(2 * 1024 * 1024, ' '), 'PROTOCOL_FAILED'],
])('a hello with %s opens no session', async (_what, hello, code) => {
  const { caller } = await meet(hello);
  expect(await caller.refused('data.read', {})).toBe(`NOT_SENT ${code}`);
});

describe('framing', () => {
  const messages = ['<a/>', `<b>${'é'.repeat(300)}</b>`, '<c>\n#4\nabcd\n##\n</c>'];

  test.each(['end-of-message', 'chunked'] as const)('%s may be split at any byte', (framing) => {
    const bytes = Buffer.concat(messages.map((message) => framed(message, framing)));
    for (const size of [1, 2, 3, 7, 64, bytes.length]) {
      const reader = new MessageReader(10_000);
      reader.framing = framing;
      const read: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.add(bytes.subarray(at, at + size));
        for (let taken = reader.take(); Buffer.isBuffer(taken); taken = reader.take()) read.push(taken.toString());
      }
      expect(read).toEqual(messages);
      expect(reader.pendingBytes).toBe(0);
    }
  });

  test('a message may have several chunks, and no chunk size begins with a zero', () => {
    const read = (text: string) => {
      const reader = new MessageReader(100);
      reader.framing = 'chunked';
      reader.add(Buffer.from(text));
      const taken = reader.take();
      return Buffer.isBuffer(taken) ? taken.toString() : taken;
    };
    expect(read('\n#2\nab\n#1\nc\n##\n')).toBe('abc');
    expect(read('\n#2\nab\n#1\nc\n')).toBeUndefined();
    for (const text of ['\n#02\nab\n##\n', '\n##\n', '#2\nab', '\n#x\n', '\n#12345678901\n', '\n#2 \nab'])
      expect(read(text)).toBe('rubbish');
    expect(read('\n#101\n')).toBe('too long');
    expect(read(`\n#60\n${'x'.repeat(60)}\n#60\n`)).toBe('too long');
    expect(read(`${'\n#1\nx'.repeat(101)}`)).toBe('too long');
  });
});

test.each<[string, ReturnType<Answers>, string]>([
  ['nothing there', data(''), 'FAILED NOT_FOUND'],
  ['a refusal', errorOf('access-denied'), 'FAILED DEVICE_BUSY'],
  ['no reply of NETCONF', '', 'FAILED DEVICE_BUSY'],
  ['the end of the session', 'end', 'FAILED DEVICE_BUSY'],
  ['nothing', 'nothing', 'FAILED DEVICE_BUSY'],
])(
  'when a read under the lock does not show the intended route (%s), no edit is sent',
  async (_what, said, outcome) => {
    const { server, caller } = await meet(undefined, {}, 1_000);
    server.answer(but('get-config', said));
    expect(await caller.refused('staticRoute.delete', { destination: '192.0.2.0/24' })).toBe(outcome);
    expect(server.asked.slice(0, 3)).toEqual(['lock', 'discard-changes', 'get-config']);
    expect(server.asked).not.toContain('edit-config');
  },
);
