// From an endpoint to a logged-in SSH connection, or the exact reason for the failure. Each credential is tried once: a device
// may lock an account after a few failures.

import type { Socket } from 'node:net';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type Client, type ParsedKey } from 'ssh2';
import { EgressDeniedError } from '../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { keyCostFault } from '../../../platform/net/private-key-cost.ts';
import type { NotSentCode, ReserveFailure } from '../../../platform/net/send.ts';
import { dialSsh } from '../../../platform/net/ssh-client.ts';
import type { Credentials } from '../drivers/driver.ts';
import { algorithmsOf } from './crypto-profiles.ts';
import { hostKeyOf } from './host-key.ts';
import type { Endpoint } from './session.ts';
import { makeKeyObjects } from './ssh2-ciphers.ts';

interface LoginOptions {
  readonly egress: EgressPolicy;
  /** For everything from the TCP connection to the accepted credential. */
  readonly timeoutMs: number;
  readonly keepaliveMs: number;
  readonly signal: AbortSignal;
}

export type Login =
  | { readonly ok: true; readonly client: Client; readonly socket: Socket }
  | { readonly ok: false; readonly failure: ReserveFailure };

/** The fault of the key, without any byte of the key. Undefined if the key can be used. */
export function privateKeyFault(privateKey: string, passphrase?: string): string | undefined {
  const key = parsePrivateKey(privateKey, passphrase);
  return key instanceof Error ? key.message : undefined;
}

function parsePrivateKey(privateKey: string, passphrase?: string): ParsedKey | Error {
  const tooCostly = keyCostFault(privateKey);
  if (tooCostly !== undefined) return new Error(tooCostly);
  const key = readKey(privateKey, passphrase);
  if (!(key instanceof Error)) return key.isPrivateKey() ? key : new Error('it is a public key, not a private one');
  if (/no passphrase/i.test(key.message)) return new Error('it is encrypted, and no passphrase is given');
  if (/bad passphrase/i.test(key.message)) return new Error('the passphrase is wrong');
  return new Error('it is not a readable OpenSSH or PEM private key');
}

/** ssh2 throws for some damaged keys, and gives nothing for a file without keys. */
function readKey(privateKey: string, passphrase?: string): ParsedKey | Error {
  try {
    const parsed: ParsedKey | ParsedKey[] | Error | undefined = ssh2.utils.parseKey(privateKey, passphrase);
    return [parsed].flat()[0] ?? new Error('it has no key');
  } catch (error) {
    return new Error('ssh2 does not read it', { cause: error });
  }
}

/** Decrypting a key with its passphrase takes a good part of a second of CPU time: once is enough. */
const parsedKeys = new WeakMap<Credentials, ParsedKey | Error>();

function privateKeyOf(credentials: Credentials): ParsedKey | Error | undefined {
  const { privateKey, passphrase } = credentials;
  if (privateKey === undefined) return undefined;
  const key = parsedKeys.get(credentials) ?? parsePrivateKey(privateKey, passphrase);
  parsedKeys.set(credentials, key);
  return key;
}

/**
 * The line that OpenSSH sends instead of its identification when too many connections have not logged in yet (sshd.c,
 * `drop_connection`): the first from 8.5, the second from 9.8.
 */
const noRoom = /^(Exceeded MaxStartups|Not allowed at this time)$/;
/** OpenSSH's reason for ending a connection after `MaxAuthTries` refused credentials (auth.c, `auth_maxtries_exceeded`). */
const tooManyFailures = /^Too many authentication failures/;

/** Never rejects. When `ok`, the caller owns client and socket. */
export function login(endpoint: Endpoint, options: LoginOptions): Promise<Login> {
  const { host, port, credentials } = endpoint;
  const where = `${host}:${port}`;
  const key = privateKeyOf(credentials);
  if (key instanceof Error)
    return refused('AUTH_FAILED', `The private key for ${where} can't be used: ${key.message}.`);
  if (options.signal.aborted) return refused('ABORTED', `The connection to ${where} was cancelled.`);

  return new Promise((resolve) => {
    const { client, socket, connect } = dialSsh(options.egress, { host, port });
    let phase: Reached['phase'] = 'connecting';
    let presented: string | undefined;
    let greeting = '';
    let done = false;

    const finish = (result: Login) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      client.removeAllListeners();
      // Errors of ssh2 after the verdict must not become an unhandled 'error'.
      client.on('error', () => {});
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    const fail = (code: NotSentCode, message: string, extra: { presented?: string } = {}) =>
      finish({ ok: false, failure: { kind: 'NOT_SENT', code, message, ...extra } });
    const failWith = (error: SshError) => {
      const { code, message, ...extra } = failureOf(error, endpoint, { phase, presented, greeting });
      fail(code, message, extra);
    };
    const onAbort = () => fail('ABORTED', `The connection to ${where} was cancelled.`);
    const timer = setTimeout(
      () => fail('CONNECT_FAILED', `${where} did not finish ${phase} within ${options.timeoutMs} ms.`),
      options.timeoutMs,
    );
    options.signal.addEventListener('abort', onAbort, { once: true });

    client.on('connect', () => {
      phase = 'key exchange';
      // ssh2 passes on a line before the identification (RFC 4253, 4.2) only if an identification follows.
      socket.once('data', (first: Buffer) => {
        greeting = first.toString('latin1', 0, 200).trimEnd();
      });
    });
    client.on('handshake', () => {
      phase = 'log-in';
    });
    client.on('change password', () => {
      const message = `${where} requires a new password for ${JSON.stringify(credentials.username)}: change it there first.`;
      fail('AUTH_FAILED', message);
    });
    client.on('error', failWith);
    client.on('close', () => failWith(new Error('the device closed the connection')));
    client.on('ready', () => {
      makeKeyObjects(client);
      finish({ ok: true, client, socket });
    });
    connect({
      username: credentials.username,
      readyTimeout: 0,
      keepaliveInterval: options.keepaliveMs,
      keepaliveCountMax: 2,
      algorithms: algorithmsOf(endpoint.cryptoProfile),
      hostVerifier: (hostKey: Buffer) => {
        presented = hostKeyOf(hostKey).sha256;
        return presented === endpoint.hostKeySha256;
      },
      authHandler: authenticate(credentials, key) as AuthHandlerMiddleware,
    });
  });
}

interface SshError extends Error {
  readonly level?: string;
}

/** How far a login came. */
interface Reached {
  readonly phase: 'connecting' | 'key exchange' | 'log-in';
  /** The fingerprint of the host key. */
  readonly presented: string | undefined;
  /** The first line of the server. */
  readonly greeting: string;
}

interface LoginFailure {
  readonly code: NotSentCode;
  readonly message: string;
  readonly presented?: string;
}

/** Why a login failed, from ssh2's error and how far it came. */
export function failureOf(
  error: SshError,
  { host, port, credentials, hostKeySha256, cryptoProfile }: Endpoint,
  { phase, presented, greeting }: Reached,
): LoginFailure {
  const where = `${host}:${port}`;
  if (error instanceof EgressDeniedError)
    return { code: 'EGRESS_DENIED', message: `${where} may not be connected to: ${error.message}.` };
  if (presented !== undefined && hostKeySha256 === null) {
    const message = `No host key is accepted for ${where}. It presented ${presented}.`;
    return { code: 'HOST_KEY_UNKNOWN', message, presented };
  }
  if (presented !== undefined && phase === 'key exchange' && presented !== hostKeySha256) {
    const message = `${where} presented the host key ${presented}, but ${hostKeySha256} is accepted. Nothing was sent.`;
    return { code: 'HOST_KEY_MISMATCH', message, presented };
  }
  if (noRoom.test(greeting)) {
    const message = `${where} accepts no further session now: ${JSON.stringify(greeting)}.`;
    return { code: 'SESSION_REFUSED', message };
  }
  if (error.level === 'client-authentication' || (phase === 'log-in' && tooManyFailures.test(error.message)))
    return {
      code: 'AUTH_FAILED',
      message: `${where} refused the credentials of ${JSON.stringify(credentials.username)}.`,
    };
  if (phase === 'connecting')
    return { code: 'CONNECT_FAILED', message: `${where} can't be reached: ${error.message}.` };
  if (phase === 'log-in')
    return { code: 'CONNECT_FAILED', message: `The login at ${where} broke off: ${error.message}.` };
  const message = `The SSH key exchange with ${where} failed (profile ${cryptoProfile}): ${error.message}.`;
  return { code: error.level === 'client-socket' ? 'CONNECT_FAILED' : 'PROTOCOL_FAILED', message };
}

function refused(code: NotSentCode, message: string): Promise<Login> {
  return Promise.resolve({ ok: false, failure: { kind: 'NOT_SENT', code, message } });
}

/**
 * RFC 4252: the key if there is one; a password only by the method that the server names (password, else keyboard-interactive),
 * so that a wrong one counts once. With both, the password is the second factor.
 */
function authenticate(credentials: Credentials, key: ParsedKey | undefined) {
  const { username, password } = credentials;
  const tried = new Set<string>();
  return (methodsLeft: readonly string[] | null, partialSuccess: boolean | null): AnyAuthMethod | false => {
    const once = (method: AnyAuthMethod): AnyAuthMethod | false => {
      if (tried.has(method.type)) return false;
      tried.add(method.type);
      return method;
    };
    if (key && tried.size === 0) return once({ type: 'publickey', username, key });
    if (password === undefined || (key && partialSuccess !== true)) return false;
    if (methodsLeft === null) return once({ type: 'none', username });
    if (tried.has('password') || tried.has('keyboard-interactive')) return false;
    if (methodsLeft.includes('password')) return once({ type: 'password', username, password });
    if (!methodsLeft.includes('keyboard-interactive')) return false;
    let answered = false;
    return once({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        // A single hidden question asks for the password; there is no answer to anything else.
        const isPassword = !answered && prompts.length === 1 && prompts[0]?.echo !== true;
        answered = true;
        finish(isPassword ? [password] : prompts.map(() => ''));
      },
    });
  };
}
