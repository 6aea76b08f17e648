// A backend's secrets in its device's output. Every form of a secret is removed, and nothing else.
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { createRedactor } from '../../../../subgraphs/relay/transports/redact.ts';

const password = `p&"s/<w>'r d+é~Ünïcode=`;
const apiToken = 'nmkb8h1Qf0Hq9wQbYt0xkp4d1r5z8G';
const redactor = createRedactor({ username: 'netops', password, apiToken });

const bytes = Buffer.from(password);
const coded = (before: string, encoding: 'base64' | 'base64url' | 'hex') =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from('tail')]).toString(encoding);

describe('a secret', () => {
  test.each([
    ['raw', `denied for ${password}!`],
    ['twice', `${password} and ${password}`],
    ['in JSON', JSON.stringify({ error: `bad ${password}` })],
    ['in a query', `?secretkey=${encodeURIComponent(password)}&ajax=1`],
    ['in a form', new URLSearchParams({ username: 'x', secretkey: password }).toString()],
    ['in a query with lower-case hex', encodeURIComponent(password).replace(/%../g, (code) => code.toLowerCase())],
    ['in markup', `<p>p&amp;&quot;s/&lt;w&gt;&#39;r d+é~Ünïcode=</p>`],
    ['in markup, as Python writes it', `<p>p&amp;&quot;s/&lt;w&gt;&#x27;r d+é~Ünïcode=</p>`],
    ['in markup, with numbers', `<p>p&#38;&#34;s/&#60;w&#62;&#039;r d+é~Ünïcode=</p>`],
    ['in JSON, as Python writes it', `{"error": "bad p&\\"s/<w>'r d+\\u00e9~\\u00dcn\\u00efcode="}`],
    ['in JSON, as PHP writes it', `{"error": "bad p&\\"s\\/<w>'r d+\\u00e9~\\u00dcn\\u00efcode="}`],
    ['in JSON, with markup escaped', `{"error": "bad p\\u0026\\"s/\\u003cw\\u003e\\u0027r d+é~Ünïcode="}`],
    ['in a quoted word', `'p&"s/<w>\\'r d+é~Ünïcode='`],
    ['in hex', bytes.toString('hex')],
    ['in upper-case hex', bytes.toString('hex').toUpperCase()],
  ])('%s is removed', (_how, text) => {
    const shown = redactor.text(text);
    expect(shown).toContain('•••');
    for (const part of ['s/', 'r d', 'r+d', 'r%20d', 'code', '%C3%9C', '%c3%9c', 'w&gt;', '6e6967', '636f6465'])
      expect(shown).not.toContain(part);
  });

  test.each(['base64', 'base64url'] as const)(
    'in %s is removed, at any offset, with any text around it',
    (encoding) => {
      for (const before of ['', 'a', 'ab', 'abc', 'netops:', 'user:x:']) {
        const shown = redactor.text(`Basic ${coded(before, encoding)}`);
        expect(shown).toContain('•••');
        // Characters left at either end share bits with the text around the secret.
        const decoded = Buffer.from(shown.replace(/^Basic .*•••/, ''), encoding).toString('latin1');
        expect(decoded).not.toMatch(/code|nico/);
        expect(shown.length).toBeLessThan(coded(before, encoding).length - 20);
      }
    },
  );

  test('in a result is removed, at any depth, also in a name', () => {
    const value = { rules: [{ comment: `was ${password}`, handle: 7, ok: true, none: null, [apiToken]: [apiToken] }] };
    expect(redactor.value(value)).toEqual({
      rules: [{ comment: 'was •••', handle: 7, ok: true, none: null, '•••': ['•••'] }],
    });
    let deep: unknown = password;
    for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
    expect(JSON.stringify(redactor.value(deep))).not.toContain('code');
  });

  test('is removed when cut off at the end of a long message', () => {
    for (let length = Math.ceil(apiToken.length / 2); length < apiToken.length; length += 1)
      expect(redactor.text(`the token was ${apiToken.slice(0, length)}`)).toBe('the token was •••');
    expect(redactor.text(`the token was ${apiToken.slice(0, 5)}`)).toBe(`the token was ${apiToken.slice(0, 5)}`);
  });
});

test('a private key is removed by its lines, and a passphrase too; the account and certificates are not secret', () => {
  const body = ['b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIA', 'AAABBZQ2+X4lG/0YhA5hTq1vBmQ9', 'tail+1/2=='];
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
  const clientCertificate = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ==\n-----END CERTIFICATE-----\n';
  const keyed = createRedactor({ username: 'netops', privateKey, passphrase: 'open sesame', clientCertificate });
  const shown = keyed.text(`netops ${privateKey} ${clientCertificate} open sesame.`);
  expect(shown).toContain('netops -----BEGIN OPENSSH PRIVATE KEY-----\n•••\n•••\n');
  expect(shown).toContain(clientCertificate);
  expect(shown).toMatch(/ •••\.$/);
});

test('text without a secret is unchanged, and secrets that are too short remain', () => {
  const message = 'Error: No such file or directory; did you mean table inet filter?';
  expect(redactor.text(message)).toBe(message);
  const value = { set: 'blocked', elements: ['203.0.113.7'] };
  expect(redactor.value(value)).toEqual(value);
  const short = createRedactor({ username: 'u', password: 'abc' });
  expect(short.text('abc: a bad cab')).toBe('abc: a bad cab');
  const none = createRedactor({ username: 'netops' });
  expect([none.text(message), none.value(value)]).toEqual([message, value]);
});

describe("a secret and a device's output crafted against each other", () => {
  /** Stops a search that would block the process. */
  const hide = (secret: string, text: string) => {
    const made = createRedactor({ username: 'netops', password: secret });
    return runInNewContext('hide()', { hide: () => made.text(text) }, { timeout: 10_000 }) as string;
  };
  const many = 100;

  test.each([
    ['backslashes', '\\'.repeat(many), '\\'.repeat(many - 1)],
    ['many more backslashes', `${'\\'.repeat(1_000)}a`, '\\'.repeat(1_000_000)],
    ['backslashes before other characters', '\\!'.repeat(many), `${'\\'.repeat(5)}!`.repeat(many - 1)],
    ['blanks before a plus', `${'+  '.repeat(many)}z`, '+'.repeat(3 * many)],
    ['blanks before a percent sign', `${'%20  '.repeat(many)}z`, '%20'.repeat(3 * many)],
    ['blanks before an ampersand', `${'&nbsp;  '.repeat(many)}z`, '&nbsp;'.repeat(3 * many)],
    ['blanks alone', ' '.repeat(1_000), ' '.repeat(998)],
  ])('%s: the search ends', (_what, secret, text) => {
    // Computing the difference of long texts would take as long.
    expect(hide(secret, `said ${text}.`) === `said ${text}.`).toBe(true);
  });

  test.each(['\\\\abc', 'a\\!b', '+  +a', 'a %20b', 'a &nbsp;b', ' a b c ', '\\\\ \\'])(
    '%j is hidden in its usual forms',
    (secret) => {
      const inForm = new URLSearchParams({ key: secret }).toString();
      const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret), inForm, inForm.toLowerCase()];
      for (const form of [...forms, JSON.stringify(JSON.stringify(secret)), secret.replaceAll('\\', '&#92;')]) {
        const shown = hide(secret, `<${form}>`);
        expect(shown).toContain('•••');
        expect(shown.length).toBeLessThan('<"key=•••">'.length + 8);
      }
    },
  );
});
