// Signatures of webhooks by the Standard Webhooks specification (symmetric signatures): the receiver computes the same from its secret
// and the three headers, and refuses old timestamps and ids that it has seen.
import { createHmac } from 'node:crypto';

/** `whsec_` and 24 to 64 bytes in base64. */
const webhookSecretPattern = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

export function isWebhookSecret(secret: string): boolean {
  const { length } = keyOf(secret);
  return webhookSecretPattern.test(secret) && length >= 24 && length <= 64;
}

/** `id`: the same for each attempt. `at`: time of this attempt. */
export function webhookHeaders(
  secret: string,
  { id, at, body }: { readonly id: string; readonly at: Date; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}
