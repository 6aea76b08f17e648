// HTTP requests that no ordinary client sends: documents that cost more than their size, invalid bodies, forged tokens, forged
// identities, and random data.
import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { identityHeader } from '../../platform/graph/signed-identity.ts';
import type { Random } from '../random.ts';
import { answersIn, type Caller, type Exchange, type HttpMessage } from './caller.ts';
import { nastyTexts } from './nasty-texts.ts';
import type { Question } from './questions.ts';

export interface Attack {
  readonly kind: string;
  /** No answer may contain data, because the caller is unknown. */
  readonly grantsNothing?: boolean;
  run(): Promise<Exchange>;
}

const repeat = (count: number, one: (index: number) => string) => Array.from({ length: count }, (_, at) => one(at));
const nested = (depth: number, open: string, close: string, middle = '') =>
  `${open.repeat(depth)}${middle}${close.repeat(depth)}`;

const introspection = (types: number, fields: number, names: number) => `{ __schema { ${repeat(
  types,
  (at) => `a${at}: types { ...T }`,
).join(' ')} } }
fragment T on __Type { ${repeat(fields, (at) => `b${at}: fields { ...F }`).join(' ')} }
fragment F on __Field { ${repeat(names, (at) => `c${at}: name`).join(' ')} }`;

type MakeDocument = (random: Random) => string;

/** Documents that cost more than their size. */
const documents: Readonly<Record<string, MakeDocument>> = {
  'introspection 2 x 10 x 20': () => introspection(2, 10, 20),
  'introspection 10 x 20 x 50': () => introspection(10, 20, 50),
  'introspection 20 x 20 x 100': () => introspection(20, 20, 100),
  'introspection 60 x 60 x 100': () => introspection(60, 60, 100),
  'types of fields of types': () =>
    '{ __schema { types { fields { type { fields { type { name fields { name } } } } } } } }',
  aliases: (random) => `{ ${repeat(random.integer(10, 2_000), (at) => `a${at}: me { name }`).join(' ')} }`,
  'the same field': (random) => `{ ${'__typename '.repeat(random.integer(10, 20_000))} }`,
  'overlapping fields': (random) =>
    `{ ${repeat(random.integer(10, 400), () => 'projects { nodes { id name members { nodes { role } } } }').join(' ')} }`,
  'deep selection': (random) => `{ me ${nested(random.integer(10, 4_000), '{ projects ', '}', '{ name }')} }`,
  brackets: (random) => nested(random.integer(60, 20_000), '{', '}'),
  'deep list literal': (random) =>
    `{ statusHistory(kinds: ${nested(random.integer(60, 4_000), '[', ']')}) { nodes { id } } }`,
  'long list literal': (random) =>
    `{ statusHistory(kinds: [${'"a" '.repeat(random.integer(100, 3_000))}]) { nodes { id } } }`,
  'fragments in a circle': (random) => {
    const count = random.integer(1, 300);
    const spreads = repeat(count, (at) => `fragment F${at} on Viewer { name ...F${(at + 1) % count} }`);
    return `{ me { ...F0 } } ${spreads.join(' ')}`;
  },
  'fragments that double': (random) => {
    const count = random.integer(5, 60);
    const spreads = repeat(count, (at) => `fragment F${at} on Viewer { ...F${at + 1} ...F${at + 1} }`);
    return `{ me { ...F0 } } ${spreads.join(' ')} fragment F${count} on Viewer { name }`;
  },
  'fragments of no use': (random) =>
    `{ __typename } ${repeat(random.integer(10, 1_000), (at) => `fragment F${at} on Viewer { name }`).join(' ')}`,
  'many operations': (random) => repeat(random.integer(2, 1_000), (at) => `query Q${at} { __typename }`).join(' '),
  'many variables': (random) =>
    `query (${repeat(random.integer(10, 1_500), (at) => `$v${at}: String`).join(' ')}) { __typename }`,
  'a variable in a list of lists': (random) =>
    `query ($v: ${nested(random.integer(10, 1_900), '[', ']', 'String')}) { __typename }`,
  directives: (random) => `{ __typename ${'@skip(if: false) '.repeat(random.integer(2, 1_300))} }`,
  'unknown directives': (random) => `{ __typename ${'@x '.repeat(random.integer(2, 1_900))} }`,
  'a long name': (random) => `{ ${'x'.repeat(random.integer(1_000, 250_000))} }`,
  'many unknown names': (random) => `{ ${repeat(random.integer(10, 1_900), (at) => `x${at}`).join(' ')} }`,
  'names nearly known': (random) =>
    `{ ${repeat(random.integer(10, 600), (at) => `backendz${at} projectz${at}`).join(' ')} }`,
  'a long text': (random) => `{ node(id: "${'A'.repeat(random.integer(1_000, 250_000))}") { id } }`,
  'escaped text': (random) => `{ node(id: "${'\\u0000'.repeat(random.integer(100, 30_000))}") { id } }`,
  'a block text': (random) => `{ node(id: """${' \n'.repeat(random.integer(100, 60_000))}""") { id } }`,
  'a long number': (random) => `{ projects(first: ${'9'.repeat(random.integer(10, 200_000))}) { nodes { id } } }`,
  comments: (random) => `${'#\n'.repeat(random.integer(100, 100_000))}{ __typename }`,
  commas: (random) => `{ __typename ${','.repeat(random.integer(100, 250_000))} }`,
  _entities: () => '{ _entities(representations: [{ __typename: "Backend", id: "x" }]) { __typename } }',
  _service: () => '{ _service { sdl } }',
  'subscription over HTTP': () => 'subscription { statusChanges { cursor } }',
  'two root fields of a subscription': () =>
    'subscription { a: statusChanges { cursor } b: backendChanges { cursor } }',
};

/** Invalid bodies, and valid requests in unusual form. */
const messages: Readonly<Record<string, (random: Random) => HttpMessage>> = {
  'deep JSON': (random) => ({ body: nested(random.integer(100, 100_000), '[', ']') }),
  'deep variables': (random) => {
    const value = nested(random.integer(65, 3_000), '{"a":', '}', '1');
    return { body: `{"query":"query ($v: JSON) { __typename }","variables":{"v":${value}}}` };
  },
  'wide variables': (random) => ({
    body: `{"query":"query ($v: JSON) { __typename }","variables":{"v":[${'1,'.repeat(random.integer(100, 100_000))}1]}}`,
  }),
  'unused variables': (random) => ({
    body: JSON.stringify({
      query: '{ __typename }',
      variables: Object.fromEntries(repeat(random.integer(10, 5_000), (at) => `v${at}`).map((name) => [name, name])),
    }),
  }),
  'a batch': (random) => ({
    body: JSON.stringify(repeat(random.integer(0, 500), () => '').map(() => ({ query: '{ __typename }' }))),
  }),
  'no query': (random) => ({
    body: random.pick(['{}', 'null', '1', '"x"', '', ' ', '[]', '{"query":null}', '{"query":7}']),
  }),
  'half a body': () => ({ body: '{"query":"{ __typename' }),
  'no UTF-8': () => ({ body: Buffer.from('7b227175657279223a22fffe80227d', 'hex') }),
  __proto__: () => ({
    body: '{"query":"{ __typename }","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
  }),
  'another content type': (random) => ({
    headers: {
      'content-type': random.pick(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x', '']),
    },
    body: '{"query":"{ __typename }"}',
  }),
  'a compressed body': () => ({ headers: { 'content-encoding': 'gzip' }, body: randomBytes(512) }),
  'another character set': () => ({ headers: { 'content-type': 'application/json; charset=utf-16' }, body: '{}' }),
  'a mutation by GET': () => ({ method: 'GET', path: '/graphql?query=mutation%7Blogout%7BuserErrors%7Bcode%7D%7D%7D' }),
  'a query by GET': () => ({ method: 'GET', path: '/graphql?query=%7Bme%7Bname%7D%7D' }),
  'a long path': (random) => ({ method: 'GET', path: `/${'x'.repeat(random.integer(100, 12_000))}` }),
  'another path': (random) => ({
    method: random.pick(['GET', 'PUT', 'DELETE', 'OPTIONS', 'POST']),
    path: random.pick([
      ...[
        '/',
        '/metrics',
        '/health/ready',
        '/health/live',
        '/export/mappings.ndjson',
        '/export/x.ndjson',
        '/.git/config',
      ],
      ...['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/graphql/', '/graphql%00', '/identity'],
    ]),
  }),
  'many headers': (random) => ({
    headers: Object.fromEntries(repeat(random.integer(50, 1_000), (at) => `x-h${at}`).map((name) => [name, 'x'])),
    body: '{"query":"{ __typename }"}',
  }),
  'a forged client address': (random) => ({
    headers: {
      'x-forwarded-for': random.pick(['127.0.0.1', '10.0.0.1, 127.0.0.1', 'x', '::1', '127.0.0.1,'.repeat(500)]),
    },
    body: '{"query":"{ me { name } }"}',
  }),
  'a forged request id': (random) => ({
    headers: { 'x-request-id': random.pick(['x'.repeat(5_000), '{"level":60}', 'a b', '0'.repeat(36)]) },
    body: '{"query":"{ me { name } }"}',
  }),
  'a forged host': (random) => ({
    method: 'GET',
    path: random.pick(['/metrics', '/health/ready']),
    headers: { host: random.pick(['attacker.example', 'localhost.attacker.example', '127.0.0.1.nip.example', '']) },
  }),
};

const documentKinds = Object.keys(documents);
const messageKinds = Object.keys(messages);

export function documentAttack(caller: Caller, random: Random): Attack {
  const kind = random.pick(documentKinds);
  const query = documents[kind]?.(random) ?? '';
  return { kind: `document: ${kind}`, run: () => caller.ask(query) };
}

export function messageAttack(caller: Caller, random: Random): Attack {
  const kind = random.pick(messageKinds);
  const message = messages[kind]?.(random) ?? {};
  return { kind: `message: ${kind}`, run: () => caller.send(message) };
}

/** A valid request with some changed bytes or tokens. */
export function mutatedAttack(caller: Caller, random: Random, question: Question): Attack {
  const { query, variables } = question;
  const words = query.split(/(?<=\W)|(?=\W)/);
  const changes = random.integer(1, 4);
  for (let change = 0; change < changes; change += 1) {
    const at = random.integer(0, Math.max(words.length - 1, 0));
    const how = random.integer(0, 3);
    if (how === 0) words.splice(at, 1);
    else if (how === 1) words.splice(at, 0, random.pick(words));
    else if (how === 2)
      words[at] = random.pick(['{', '}', '(', '$', '@', '...', ':', '"', '!', '[', '1', 'on', '\0', '&']);
    else words[at] = (words[at] ?? '').repeat(random.integer(2, 30));
  }
  const text = JSON.stringify({ query: words.join(''), variables });
  const bytes = Buffer.from(text);
  if (random.next() < 0.3) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return { kind: `changed ${question.kind}`, run: () => caller.send({ body: bytes }) };
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Invented tokens, made from `known` ones. */
export function forgedTokens(known: readonly string[], random: Random): readonly string[] {
  const good = random.pick(known);
  const [head = '', body = '', signature = ''] = good.split('.');
  const claims = { sub: 'admin', admin: true, iss: 'tidegate', aud: 'tidegate', exp: 4_102_444_800 };
  const none = `${base64({ alg: 'none', typ: 'JWT' })}.${base64(claims)}.`;
  const symmetric = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims)}`;
  const at = random.integer(0, Math.max(good.length - 1, 0));
  return [
    none,
    `${symmetric}.${createHmac('sha256', 'public').update(symmetric).digest('base64url')}`,
    `${base64({ alg: 'EdDSA', kid: '../../../dev/null' })}.${base64(claims)}.${randomBytes(64).toString('base64url')}`,
    `${base64({ alg: 'ES256', kid: 'x'.repeat(5_000) })}.${base64(claims)}.AAAA`,
    `${head}.${body}.${[...signature].reverse().join('')}`,
    `${head}.${base64(claims)}.${signature}`,
    `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`,
    good.slice(0, -1),
    `${good}A`,
    ...nastyTexts.filter((text) => /^[\x20-\x7e]+$/.test(text)),
  ];
}

/** A forged token must reveal nothing, whoever sends it. */
export function tokenAttack(caller: Caller, random: Random, known: readonly string[], question: Question): Attack {
  const token = random.pick(forgedTokens(known, random));
  const scheme = random.pick(['Bearer', 'bearer', 'Basic', 'Negotiate', '']);
  const headers = { authorization: `${scheme} ${token}`.trim() };
  return {
    kind: 'forged token',
    grantsNothing: true,
    run: () => caller.ask(question.query, question.variables, { headers }),
  };
}

/** Sent to the gateway, which must not accept it, and directly to a subgraph. */
export function identityAttack(
  caller: Caller,
  random: Random,
  subgraphs: readonly string[],
  question: Question,
): Attack {
  const identity = { kind: 'user', id: 'x', name: 'admin', admin: true, projects: {} };
  const forged = random.pick([
    base64(identity),
    `${base64({ alg: 'none' })}.${base64({ ...identity, aud: 'relay' })}.`,
    `${base64({ alg: 'EdDSA', kid: 'gateway' })}.${base64({ identity })}.${randomBytes(64).toString('base64url')}`,
    JSON.stringify(identity),
    'x'.repeat(6_000),
    '',
  ]);
  const origin = random.pick([caller.url, ...subgraphs]);
  const path = random.pick([
    '/graphql',
    '/',
    '/authenticate',
    '/identity',
    '/metrics',
    '/export/mappings.ndjson',
    '/health',
  ]);
  const message: HttpMessage = {
    origin,
    path: origin === caller.url ? '/graphql' : path,
    headers: { [identityHeader]: forged },
    body: JSON.stringify({ query: question.query, variables: question.variables }),
  };
  return { kind: 'forged identity', run: () => caller.send(message) };
}

const rawDeadlineMs = 3_000;

/** Bytes on a connection that no HTTP client would send. */
export function rawAttack(caller: Caller, random: Random): Attack {
  const { port, hostname } = new URL(caller.url);
  const text = random.pick([
    () => randomBytes(random.integer(1, 5_000)),
    () =>
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n',
    () => 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}',
    () => 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n{}',
    () => `GET /${'x'.repeat(random.integer(10_000, 100_000))} HTTP/1.1\r\nhost: x\r\n\r\n`,
    () => `GET / HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(random.integer(100, 5_000))}\r\n`,
    () => 'GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
    () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    () => 'PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\nGET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n',
    () => 'GET /graphql HTTP/1.1\r\nhost: x\r\n'.repeat(50),
    () => 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\n\r\n',
    () => 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"query"',
  ])();
  const sent = Buffer.from(text);
  const run = async (): Promise<Exchange> => {
    const parts: Buffer[] = [];
    await new Promise<void>((resolve) => {
      const socket = connect({ port: Number(port), host: hostname, localAddress: caller.address });
      const timer = setTimeout(() => socket.destroy(), rawDeadlineMs);
      socket.on('error', () => undefined).on('data', (part: Buffer) => parts.push(part));
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end(sent);
    });
    const answered = Buffer.concat(parts).toString('latin1');
    return { asked: sent.toString('latin1'), answered, answers: answersIn(answered.split('\r\n\r\n')) };
  };
  return { kind: 'raw bytes', run };
}
