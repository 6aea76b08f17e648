// Sends one message over a channel, once. Every address that is dialled passes the egress policy, and every connection is TLS to a server
// whose certificate an accepted authority signed.
import { once } from 'node:events';
import { getCACertificates } from 'node:tls';
import { createTransport } from 'nodemailer';
import { dial } from '../../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { HttpsClient } from '../../../../platform/net/https-client.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { type Message, mailOf, slackBody, webhookBody } from '../../rules/alerts/message.ts';
import { webhookHeaders } from '../../rules/alerts/webhook-signature.ts';
import type { AlertChannel, ChannelSecret } from '../stores/alert-channel.ts';

interface Sending {
  readonly channel: Pick<AlertChannel, 'kind' | 'spec'>;
  readonly secret: ChannelSecret;
  /** Id of the message. The same for each attempt. */
  readonly id: string;
  readonly message: Message;
  readonly egress: EgressPolicy;
  /** Deadline for the connection, and for the answer. Default 10 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

export type SendOutcome =
  | { readonly ok: true }
  /** `patienceMs`: the age of a message up to which another attempt makes sense. */
  | { readonly ok: false; readonly error: string; readonly patienceMs: number };

const hourMs = 3_600_000;
export const longestPatienceMs = 24 * hourMs;
/** RFC 9110 and 6585: client error statuses that may go away without a change. */
const passing = new Set([408, 421, 425, 429]);

const usualTimeoutMs = 10_000;
const maxReplyBytes = 16 * 1024;

export function sendMessage(sending: Sending): Promise<SendOutcome> {
  return sending.channel.kind === 'MAIL' ? sendMail(sending) : post(sending);
}

async function post(sending: Sending): Promise<SendOutcome> {
  const { channel, secret, id, message, egress, signal, timeoutMs = usualTimeoutMs } = sending;
  const { host, port } = channel.spec.place;
  const now = new Date();
  const body: JsonObject = channel.kind === 'SLACK' ? slackBody(message) : webhookBody(message, now);
  const headers =
    secret.signing === undefined ? {} : webhookHeaders(secret.signing, { id, at: now, body: JSON.stringify(body) });
  const https = new HttpsClient({
    endpoint: {
      ...{ host, port, cryptoProfile: 'MODERN', certificateSha256: null },
      caCertificates: authoritiesOf(channel),
    },
    ...{ egress, concurrency: 1, connectTimeoutMs: timeoutMs },
  });
  try {
    const call = { kind: 'http', method: 'POST', path: secret.path ?? '/', headers, body } as const;
    const result = await https.send(call, { deadlineMs: timeoutMs, maxReplyBytes, signal });
    if (!result.ok) return { ok: false, error: result.failure.message, patienceMs: longestPatienceMs };
    const { status } = result.reply;
    if (status >= 200 && status < 300) return { ok: true };
    const error = `${host}:${port} answered with status ${status}; it should be 2xx`;
    return { ok: false, error, patienceMs: patienceOf(status) };
  } finally {
    await https.close();
  }
}

async function sendMail(sending: Sending): Promise<SendOutcome> {
  const { channel, secret, id, message, egress, signal, timeoutMs = usualTimeoutMs } = sending;
  const { place, userName, sender, recipients } = channel.spec;
  const { host, port } = place;
  const ending = AbortSignal.any([signal, AbortSignal.timeout(2 * timeoutMs)]);
  const transport = createTransport({
    ...{ host, port, secure: place.mailSecurity === 'TLS', requireTLS: true },
    ...(userName === null ? {} : { auth: { user: userName, pass: secret.password ?? '' } }),
    tls: { ca: authoritiesOf(channel), minVersion: 'TLSv1.2' },
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    // nodemailer would connect by itself, to any address.
    getSocket: (_, done) => {
      const socket = dial(egress, { host, port });
      once(socket, 'connect', { signal: ending }).then(
        () => done(null, { connection: socket }),
        (error: Error) => {
          socket.destroy();
          done(error, false);
        },
      );
    },
  });
  try {
    const { rejected } = await transport.sendMail({
      ...{ from: sender ?? '', to: [...recipients], ...mailOf(message), messageId: `<${id}@tidegate>` },
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal: ending,
    });
    if (rejected.length === 0) return { ok: true };
    // The other recipients have the mail, and another attempt would send it to them again.
    return { ok: false, error: `${host}:${port} rejected ${rejected.join(', ')}`, patienceMs: 0 };
  } catch (error) {
    const words = ending.aborted && !signal.aborted ? 'it did not answer in time' : messageOf(error);
    return { ok: false, error: `${host}:${port} took no mail: ${words}`, patienceMs: mailPatienceOf(error) };
  } finally {
    transport.close();
  }
}

/** A message that its receiver refuses is tried for an hour at most. */
function patienceOf(status: number): number {
  // According to the specification, a receiver that answers 410 wants no more messages.
  if (status === 410) return 0;
  return status >= 400 && status < 500 && !passing.has(status) ? hourMs : longestPatienceMs;
}

/** A refused mail stays refused (RFC 5321 section 4.2.1: 5yz is permanent). A person may correct what a log-in or TLS needs. */
function mailPatienceOf(error: unknown): number {
  const { code, responseCode = 0 } = error as { readonly code?: string; readonly responseCode?: number };
  if (responseCode < 500) return longestPatienceMs;
  return code === 'EENVELOPE' || code === 'EMESSAGE' ? 0 : hourMs;
}

function authoritiesOf({ spec }: Sending['channel']): string {
  return spec.place.caCertificates ?? getCACertificates('default').join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
