// One object namespace over three clusters, used by an S3 client while one of the clusters has no power.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type Answer, S3TestClient, type Sent } from '../support/object-storage/s3-client.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

const bucket = `/photos-${randomUUID().slice(0, 8)}`;
const clusters = ['NORTH', 'SOUTH', 'EAST'] as const;

describeWithProduct('an object', () => {
  let product: Product;
  const clients = new Map<string, S3TestClient>();
  beforeAll(async () => {
    product = await runningProduct();
    const at = await product.part('clusters');
    const printed = await product.administer('access-keys', 'create', bucket.slice(1), '--project', 'default');
    const secret = /^AWS_SECRET_ACCESS_KEY=(.*)$/m.exec(printed)?.[1] ?? '';
    const accessKeyId = /^AWS_ACCESS_KEY_ID=(.*)$/m.exec(printed)?.[1] ?? '';
    for (const name of clusters)
      clients.set(name, new S3TestClient({ url: at[name] ?? '', credentials: { accessKeyId, secret } }));
    // A cluster knows a key once its link has delivered it.
    await done('NORTH', { method: 'PUT', path: bucket });
  });
  afterAll(() => product.lab('plug', 'east'));

  /** A cluster answers 503 while it knows no majority. After a power loss it does not answer at all at first. */
  function done(name: (typeof clusters)[number], sent: Sent): Promise<Answer> {
    return waitFor(`${sent.method} ${sent.path} at ${name}`, async () => {
      const answer = await clients
        .get(name)
        ?.send(sent)
        .catch(() => undefined);
      return answer !== undefined && answer.status < 300 && answer;
    });
  }

  test('that is put into one cluster is read from another, whole and by range, with one server down; a delete is visible everywhere', async () => {
    const [path, body] = [`${bucket}/cat`, randomBytes(300_000)];
    await product.lab('kill', 'east');
    await done('NORTH', { method: 'PUT', path, body });
    const whole = await done('SOUTH', { method: 'GET', path });
    expect(whole.body.equals(body)).toBe(true);
    const range = await done('SOUTH', { method: 'GET', path, headers: { range: 'bytes=100000-100999' } });
    expect(range.status).toBe(206);
    expect(range.body.equals(body.subarray(100_000, 101_000))).toBe(true);
    await product.lab('plug', 'east');
    // EAST had no power during the write, so it got this copy afterwards.
    expect((await done('EAST', { method: 'GET', path })).body.equals(body)).toBe(true);
    await done('SOUTH', { method: 'DELETE', path });
    for (const name of clusters)
      await waitFor(`${name} to see the deletion`, async () => {
        const answer = await clients
          .get(name)
          ?.send({ method: 'GET', path })
          .catch(() => undefined);
        return answer?.status === 404;
      });
  });
});
