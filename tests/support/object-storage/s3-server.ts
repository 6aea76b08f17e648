// An S3 server on a namespace in memory, with two accounts and a key that may only read.
import { pino } from 'pino';
import type { Caller, Namespace } from '../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { createS3Server, type S3Options, type S3Server } from '../../../subgraphs/object-storage/engine/s3/server.ts';
import { MemoryNamespace } from './memory-namespace.ts';
import { type Credentials, S3TestClient } from './s3-client.ts';

export const alice: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'alice' };
export const bob: Caller = { accountId: 'b'.repeat(32), canWrite: true, name: 'bob' };

export const aliceKey: Credentials = {
  accessKeyId: 'TGALICE0000000000001',
  secret: 'alice/secret+key/0123456789abcdef0123456',
};
export const bobKey: Credentials = {
  accessKeyId: 'TGBOB000000000000001',
  secret: 'bob/secret+key/0123456789abcdef012345678',
};
export const readerKey: Credentials = {
  accessKeyId: 'TGREADER000000000001',
  secret: 'reader/secret/0123456789abcdef0123456789',
};
export const aliceToken = 'the-token-of-alice';

const keys = new Map([
  [aliceKey.accessKeyId, { secret: aliceKey.secret, caller: alice }],
  [bobKey.accessKeyId, { secret: bobKey.secret, caller: bob }],
  [readerKey.accessKeyId, { secret: readerKey.secret, caller: { ...alice, canWrite: false, name: 'reader' } }],
]);

export interface TestedS3<Kind extends Namespace = MemoryNamespace> {
  readonly server: S3Server;
  readonly url: string;
  readonly namespace: Kind;
  client(credentials?: Credentials): S3TestClient;
}

export async function startS3<Kind extends Namespace = MemoryNamespace>(
  options: Partial<Omit<S3Options, 'namespace'>> & { readonly namespace?: Kind; readonly ca?: string } = {},
): Promise<TestedS3<Kind>> {
  const { ca, ...given } = options;
  const namespace = (options.namespace ?? new MemoryNamespace()) as Kind;
  const server = createS3Server({
    keys: { find: async (accessKeyId) => keys.get(accessKeyId) },
    tokens: { verify: async (token) => (token === aliceToken ? alice : undefined) },
    host: '127.0.0.1',
    port: 0,
    region: 'us-east-1',
    log: pino({ level: 'silent' }),
    ...given,
    namespace,
  });
  const { url } = await server.start();
  const client = (credentials = aliceKey) =>
    new S3TestClient({ url, credentials, ...(ca === undefined ? {} : { ca }) });
  return { server, url, namespace, client };
}
