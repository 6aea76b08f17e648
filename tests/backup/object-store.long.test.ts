// Backups in a bucket: of the product's own S3 server, on a namespace in memory, as another installation would have it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newUuid } from '../../platform/values/ids.ts';
import { runCommand, startCommand } from '../cli/commands/run-command.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { aliceKey, readerKey, startS3, type TestedS3 } from '../support/object-storage/s3-server.ts';
import { BackedUp, idsIn } from './support/backed-up.ts';

const address = 's3://backups/of/tidegate';
let world: BackedUp;
let s3: TestedS3;
let env: Record<string, string>;

beforeAll(async () => {
  world = await BackedUp.start();
  s3 = await startS3();
  await s3.client().send({ method: 'PUT', path: '/backups' });
  env = {
    AWS_ENDPOINT_URL: s3.url,
    AWS_ACCESS_KEY_ID: aliceKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aliceKey.secret,
  };
}, 60_000);
afterAll(async () => {
  await s3?.server.stop();
  await world?.[Symbol.asyncDispose]();
});

const words = (to = address) => [
  'backup',
  'create',
  '--to',
  to,
  '--recipient',
  world.recipient,
  '--config',
  world.config,
];
const create = (...more: readonly string[]) =>
  runCommand([...words(), '--mebi-per-second', '100000', ...more], { env });
const verify = (from = address) => runCommand(['backup', 'verify', from, ...world.openingWords], { env });

async function keys(): Promise<readonly string[]> {
  const { text } = await s3.client().send({ method: 'GET', path: '/backups?list-type=2' });
  return [...text.matchAll(/<Key>of\/tidegate\/(.*?)<\/Key>/g)].map(([, key = '']) => key);
}

const uploads = async () => (await s3.client().send({ method: 'GET', path: '/backups?uploads=' })).text;

test('a backup in a bucket is verified, goes on with its log, and is restored to a moment', async () => {
  await world.write(1);
  const first = await create();
  expect([first.exitCode, first.stderr]).toEqual([0, '']);
  await world.write(2);
  const moment = await world.nextSecond();
  await world.write(3);
  const second = await create();
  expect([second.exitCode, second.stderr]).toEqual([0, '']);
  const verified = await verify();
  expect([verified.exitCode, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toMatch(/^s3:\/\/backups\/of\/tidegate\/20\S+Z is whole: \d{2,} tables/);
  const restore = ['restore', address, '--to', world.path('restored'), ...world.openingWords];
  const restored = await runCommand([...restore, '--at', moment.toISOString()], { env });
  expect([restored.exitCode, restored.stderr]).toEqual([0, '']);
  await world.onRestored('restored', async (sql) => expect(await idsIn(sql)).toEqual([1, 2]));
  // Nothing of the lock and of uploads stays.
  expect((await keys()).filter((key) => key.startsWith('.'))).toEqual([]);
  const kept = await create('--keep', '1');
  expect([kept.exitCode, kept.stdout.match(/^deleted /gm)]).toEqual([0, ['deleted ']]);
}, 180_000);

test.each([
  ['data.mbstream.zst.age', (bytes: Buffer) => bytes.subarray(0, 1_000), /zst\.age is cut off: it has 1000 of/],
  ['data.mbstream.zst.age', flipped, /zst\.age was changed/],
  ['manifest.json', flipped, /manifest\.json was (?:cut|edited)/],
])('a changed object %s is found', async (name, change, found) => {
  const key = (await keys()).filter((each) => each.endsWith(name)).at(-1);
  const path = `/backups/of/tidegate/${key}`;
  const { body } = await s3.client().send({ method: 'GET', path });
  await s3.client().send({ method: 'PUT', path, body: change(body) });
  const { exitCode, stdout, stderr } = await verify();
  await s3.client().send({ method: 'PUT', path, body });
  expect([exitCode, stdout, stderr]).toEqual([1, '', expect.stringMatching(found)]);
});

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = Math.floor(bytes.length / 2);
  changed.writeUInt8(changed.readUInt8(at) ^ 4, at);
  return changed;
}

test('one process writes at a time, one that is cut off leaves nothing, and the next run removes what a dead one left', async () => {
  const before = await keys();
  const run = startCommand([...words(), '--mebi-per-second', '1'], { env });
  await waitFor('the lock', async () => (await keys()).includes('.writer'));
  const second = await create();
  expect([second.exitCode, second.stderr]).toEqual([
    1,
    expect.stringMatching(/process \d+ writes to s3:\S+: try again/),
  ]);
  run.interrupt();
  expect(await run.exitCode).toBe(130);
  expect((await keys()).filter((key) => !before.includes(key) && !key.includes('/log/'))).toEqual([]);
  const client = s3.client();
  await client.send({
    method: 'POST',
    path: '/backups/of/tidegate/2001-01-01T00-00-00Z/data.mbstream.zst.age?uploads=',
  });
  await client.send({ method: 'PUT', path: '/backups/of/tidegate/2001-01-01T00-00-00Z/log.json', body: '{}' });
  const dead = JSON.stringify({ ...(await deadMark()), pid: 4_000_000 });
  await client.send({ method: 'PUT', path: '/backups/of/tidegate/.writer', body: dead });
  expect(await uploads()).toContain('<UploadId>');
  const next = await create();
  expect([next.exitCode, next.stderr]).toEqual([0, '']);
  expect(await uploads()).not.toContain('<UploadId>');
  expect((await keys()).filter((key) => key.startsWith('2001') || key.startsWith('.'))).toEqual([]);
}, 120_000);

async function deadMark(): Promise<object> {
  const { hostname } = await import('node:os');
  return { host: hostname(), startTicks: '1', bootId: 'of-an-earlier-boot' };
}

test('each refusal of a store says what to do', async () => {
  const refusal = async (more: Record<string, string>, to = address) => {
    const { exitCode, stderr } = await runCommand(words(to), { env: { ...env, ...more } });
    return [exitCode, stderr];
  };
  const reader = { AWS_ACCESS_KEY_ID: readerKey.accessKeyId, AWS_SECRET_ACCESS_KEY: readerKey.secret };
  const says = (text: RegExp) => [1, expect.stringMatching(text)];
  expect(await refusal({}, 's3://missing/x')).toEqual(says(/has no bucket missing: create it/));
  expect(await refusal({}, 's3://b')).toEqual(says(/names no place in an object store/));
  expect(await refusal(reader)).toEqual(says(/does not let the access key TGREADER\d+ write .*s3:PutObject/));
  expect(await refusal({ AWS_SECRET_ACCESS_KEY: 'no' })).toEqual(says(/correct AWS_SECRET_ACCESS_KEY/));
  expect(await refusal({ AWS_ACCESS_KEY_ID: 'TGNOBODY000000000001' })).toEqual(says(/does not know the access key/));
  expect(await refusal({ AWS_REGION: 'mars' })).toEqual(says(/is not in the region mars: set AWS_REGION/));
  expect(await refusal({ AWS_ACCESS_KEY_ID: '', HOME: world.path('nowhere') })).toEqual(
    says(/no access key .*\[default\]/),
  );
  expect(await refusal({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })).toEqual(
    says(/does not answer \(ECONNREFUSED; 6 tries\)/),
  );
  await world.sql.query(
    `INSERT INTO object_cluster (id, number, name, zone, weight, site, state, peer_urls, controller_urls, s3_urls)
      VALUES (?, 1, 'north', 'a', 1, 's', 'ACTIVE', '[]', '[]', ?)`,
    [newUuid(), JSON.stringify([s3.url])],
  );
  expect(await refusal({})).toEqual(says(/is in this installation's own object storage \(north\)/));
}, 120_000);
