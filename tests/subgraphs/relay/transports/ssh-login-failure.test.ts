// The reasons why an SSH login failed.
import { expect, it } from '@jest/globals';
import { failureOf } from '../../../../subgraphs/relay/transports/ssh-login.ts';

type Endpoint = Parameters<typeof failureOf>[1];
type Reached = Parameters<typeof failureOf>[2];

const endpoint = {
  ...{ host: '192.0.2.1', port: 22, credentials: { username: 'admin' }, hostKeySha256: 'accepted' },
  cryptoProfile: 'MODERN',
} as unknown as Endpoint;
const shown: Reached = { phase: 'key exchange', presented: 'accepted', greeting: '' };
const full = 'Not allowed at this time';

it.each<{ code: string; reached: Partial<Reached>; error?: Error & { level?: string }; known?: string | null }>([
  { code: 'CONNECT_FAILED', reached: { phase: 'connecting', presented: undefined } },
  { code: 'HOST_KEY_UNKNOWN', reached: {}, known: null },
  { code: 'HOST_KEY_UNKNOWN', reached: { greeting: full }, known: null },
  { code: 'HOST_KEY_MISMATCH', reached: { presented: 'other' } },
  { code: 'SESSION_REFUSED', reached: { presented: undefined, greeting: full } },
  { code: 'SESSION_REFUSED', reached: { presented: undefined, greeting: 'Exceeded MaxStartups' } },
  { code: 'PROTOCOL_FAILED', reached: { presented: undefined, greeting: `${full}, they said` } },
  { code: 'PROTOCOL_FAILED', reached: {} },
  { code: 'CONNECT_FAILED', reached: {}, error: Object.assign(new Error('reset'), { level: 'client-socket' }) },
  { code: 'CONNECT_FAILED', reached: { phase: 'log-in' } },
  { code: 'AUTH_FAILED', reached: { phase: 'log-in' }, error: new Error('Too many authentication failures') },
  {
    code: 'AUTH_FAILED',
    reached: { phase: 'log-in' },
    error: Object.assign(new Error('all methods failed'), { level: 'client-authentication' }),
  },
])('the code is $code at $reached', ({ code, reached, error = new Error('it broke'), known = 'accepted' }) => {
  const failure = failureOf(error, { ...endpoint, hostKeySha256: known }, { ...shown, ...reached });
  expect(failure.code).toBe(code);
  expect(failure.presented).toBe(code.startsWith('HOST_KEY') ? (reached.presented ?? 'accepted') : undefined);
  expect(failure.message).toContain(code === 'AUTH_FAILED' ? '"admin"' : '192.0.2.1:22');
});
