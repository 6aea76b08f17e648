// A client's request in the trial and its outcome: an answer, certainly not sent, or unknown.
import { type Agent, request } from 'node:http';
import type { Answer, S3TestClient, Sent } from '../../tests/support/object-storage/s3-client.ts';

export type Told = ({ readonly kind: 'ANSWER' } & Answer) | { readonly kind: 'NOT_SENT' } | { readonly kind: 'LOST' };

export async function ask(client: S3TestClient, sent: Sent, agent: Agent, deadlineMs: number): Promise<Told> {
  const { headers } = client.sign(sent);
  const body = Buffer.from(sent.body ?? '');
  const { promise, resolve } = Promise.withResolvers<Told>();
  const { hostname: host, port } = client.url;
  const { method, path } = sent;
  const asked = request({ host, port, method, path, agent, headers: { ...headers, 'content-length': body.length } });
  const late = setTimeout(() => {
    asked.destroy();
    resolve({ kind: 'LOST' });
  }, deadlineMs);
  asked.once('error', (error: NodeJS.ErrnoException) =>
    resolve({ kind: error.code === 'ECONNREFUSED' ? 'NOT_SENT' : 'LOST' }),
  );
  asked.once('response', (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.once('error', () => resolve({ kind: 'LOST' }));
    response.once('end', () => {
      const whole = Buffer.concat(pieces);
      const text = whole.length < 100_000 ? whole.toString() : '';
      const code = /<Error>.*?<Code>(.*?)<\/Code>/s.exec(text)?.[1];
      const { statusCode: status = 0, headers: told } = response;
      resolve(
        response.complete ? { kind: 'ANSWER', status, headers: told, body: whole, text, code } : { kind: 'LOST' },
      );
    });
  });
  asked.end(body);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
  }
}

/** Whether a change that was not granted may have happened. */
export function mayHaveHappened(told: Told): boolean {
  if (told.kind !== 'ANSWER') return told.kind === 'LOST';
  return told.code === 'InternalError' || told.text.includes('It is unknown whether');
}
