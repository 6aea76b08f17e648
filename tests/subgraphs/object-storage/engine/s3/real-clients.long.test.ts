// Common clients, as packaged by Debian, against the S3 server. Each has its own way to sign, stream and page.
// needs: awscli, s3cmd, rclone, restic, python3, python3-boto3

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ProgramResult, runProgram } from '../../../../../embedded/run-program.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { sha256 } from '../../../../support/object-storage/s3-client.ts';
import { aliceKey, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';
import { makeCertificates } from '../../../../support/product/certificates.ts';

const timeoutMs = 120_000 * patience;
const MiB = 1024 * 1024;

let s3: TestedS3;
/** The same server over HTTPS, where clients send bodies in other ways. */
let secure: TestedS3;
let folder: TemporaryFolder;
let ca = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  const certificates = await makeCertificates(folder.path, 's3');
  ca = certificates.files.ca;
  s3 = await startS3();
  secure = await startS3({ namespace: s3.namespace, tls: certificates });
  await mkdir(join(folder.path, 'files', 'sub'), { recursive: true });
  await writeFile(join(folder.path, 'files', 'small'), 'small');
  await writeFile(join(folder.path, 'files', 'empty'), '');
  await writeFile(join(folder.path, 'files', 'sub', 'ä b+c&d (1).bin'), randomBytes(100_000));
  await writeFile(join(folder.path, 'files', 'sub', 'big'), randomBytes(32 * MiB));
});
afterAll(async () => {
  await s3.server.stop();
  await secure.server.stop();
  await folder.remove();
});

/** The environment of a user without any configuration. */
function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/bin:/bin',
    HOME: folder.path,
    LC_ALL: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: aliceKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aliceKey.secret,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...more,
  };
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<ProgramResult> {
  const result = await runProgram(program, [...args], { timeoutMs, env: environment(env) });
  if (result.exitCode !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${result.exitCode}\n${result.stdout}\n${result.stderr}`);
  return result;
}

async function filesIn(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    files[file.slice(path.length + 1)] = sha256(await readFile(file));
  }
  return files;
}

function describeWith(path: string, body: (program: string) => void): void {
  const name = path.split('/').at(-1) ?? path;
  if (existsSync(path)) describe(name, () => body(path));
  else describe.skip(`${name} (skipped: ${path} is missing)`, () => body(path));
}

async function expectSame(copy: string): Promise<void> {
  expect(await filesIn(join(folder.path, copy))).toEqual(await filesIn(join(folder.path, 'files')));
}

describeWith('/usr/bin/aws', (aws) => {
  const files = () => join(folder.path, 'files');

  test(
    'keeps a folder in sync, copies, lists and signs URLs',
    async () => {
      const call = (...args: readonly string[]) => run(aws, ['--endpoint-url', s3.url, ...args]);
      await call('s3', 'mb', 's3://aws');
      await call('s3', 'sync', files(), 's3://aws');
      expect((await call('s3', 'sync', files(), 's3://aws')).stdout).toBe('');
      await call('s3', 'sync', 's3://aws', join(folder.path, 'aws'));
      await expectSame('aws');
      await call('s3', 'cp', 's3://aws/sub/big', 's3://aws/copy');
      const query = ['--page-size', '2', '--query', 'Contents[].Key'];
      const listed = await call('s3api', 'list-objects-v2', '--bucket', 'aws', ...query);
      expect(JSON.parse(listed.stdout)).toEqual(['copy', 'empty', 'small', 'sub/big', 'sub/ä b+c&d (1).bin']);
      const signed = await call('s3', 'presign', 's3://aws/sub/ä b+c&d (1).bin');
      expect((await fetch(signed.stdout.trim())).headers.get('content-length')).toBe('100000');
      await call('s3', 'rb', '--force', 's3://aws');
    },
    timeoutMs,
  );

  test(
    'keeps a folder in sync over HTTPS',
    async () => {
      const call = (...args: readonly string[]) =>
        run(aws, ['--endpoint-url', secure.url, ...args], { AWS_CA_BUNDLE: ca });
      await call('s3', 'mb', 's3://aws-secure');
      await call('s3', 'sync', files(), 's3://aws-secure');
      await call('s3', 'sync', 's3://aws-secure', join(folder.path, 'aws-secure'));
      await expectSame('aws-secure');
    },
    timeoutMs,
  );
});

describeWith('/usr/bin/s3cmd', (s3cmd) => {
  test(
    'puts, gets, copies, lists and deletes',
    async () => {
      const host = new URL(s3.url).host;
      const config = join(folder.path, 's3cfg');
      const settings = {
        access_key: aliceKey.accessKeyId,
        secret_key: aliceKey.secret,
        host_base: host,
        host_bucket: host,
        use_https: 'False',
        bucket_location: 'us-east-1',
        signature_v2: 'False',
        multipart_chunk_size_mb: '5',
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
      await writeFile(config, `[default]\n${lines.join('\n')}\n`);
      const call = (...args: readonly string[]) => run(s3cmd, ['--config', config, '--no-progress', ...args]);
      await call('mb', 's3://s3cmd');
      await call('sync', `${join(folder.path, 'files')}/`, 's3://s3cmd/');
      await mkdir(join(folder.path, 's3cmd'));
      await call('sync', 's3://s3cmd/', `${join(folder.path, 's3cmd')}/`);
      await expectSame('s3cmd');
      await call('cp', 's3://s3cmd/small', 's3://s3cmd/copy');
      expect((await call('info', 's3://s3cmd/copy')).stdout).toContain('File size: 5');
      await call('info', 's3://s3cmd');
      expect((await call('ls', '--recursive', 's3://s3cmd')).stdout.trim().split('\n')).toHaveLength(5);
      await call('del', '--recursive', '--force', 's3://s3cmd');
      await call('rb', 's3://s3cmd');
    },
    timeoutMs,
  );
});

describeWith('/usr/bin/rclone', (rclone) => {
  test(
    'keeps a folder in sync',
    async () => {
      const env = {
        RCLONE_CONFIG: join(folder.path, 'rclone.conf'),
        RCLONE_CONFIG_TG_TYPE: 's3',
        RCLONE_CONFIG_TG_PROVIDER: 'Other',
        RCLONE_CONFIG_TG_ENV_AUTH: 'true',
        RCLONE_CONFIG_TG_ENDPOINT: s3.url,
        RCLONE_CONFIG_TG_FORCE_PATH_STYLE: 'true',
        RCLONE_S3_UPLOAD_CUTOFF: '8M',
        RCLONE_S3_CHUNK_SIZE: '5M',
      };
      const call = (...args: readonly string[]) => run(rclone, args, env);
      await writeFile(join(folder.path, 'rclone.conf'), '');
      await call('mkdir', 'tg:rclone');
      await call('sync', join(folder.path, 'files'), 'tg:rclone');
      await call('check', '--download', join(folder.path, 'files'), 'tg:rclone');
      await call('copyto', 'tg:rclone/sub/big', 'tg:rclone/copy');
      await call('sync', 'tg:rclone', join(folder.path, 'rclone'), '--exclude', '/copy');
      await expectSame('rclone');
      expect((await call('lsf', '--recursive', '--files-only', 'tg:rclone')).stdout.trim().split('\n')).toHaveLength(5);
      await call('purge', 'tg:rclone');
      expect((await call('lsd', 'tg:')).stdout).not.toContain('rclone');
    },
    timeoutMs,
  );
});

describeWith('/usr/bin/restic', (restic) => {
  test(
    'backs up a folder and restores it',
    async () => {
      const env = { RESTIC_REPOSITORY: `s3:${s3.url}/restic/repository`, RESTIC_PASSWORD: 'password' };
      const call = (...args: readonly string[]) => run(restic, ['--no-cache', ...args], env);
      await call('init');
      await call('backup', join(folder.path, 'files'));
      await call('check', '--read-data');
      await call('restore', 'latest', '--target', join(folder.path, 'restic'));
      expect(await filesIn(join(folder.path, 'restic', folder.path, 'files'))).toEqual(
        await filesIn(join(folder.path, 'files')),
      );
      await call('forget', '--keep-last', '1', '--prune');
    },
    timeoutMs,
  );
});

const boto3 = ['/usr/lib/python3/dist-packages/boto3/__init__.py', '/usr/bin/python3'];

const script = `
import io, os, sys, urllib.request
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket = sys.argv[1], sys.argv[2]
s3 = boto3.client('s3', endpoint_url=endpoint, config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}, retries={'max_attempts': 1}))

def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response['Error']['Code'] in (code, '404', '412', '304'), error
        return
    raise AssertionError(f'{code} was expected')

s3.create_bucket(Bucket=bucket)
s3.head_bucket(Bucket=bucket)
assert bucket in [each['Name'] for each in s3.list_buckets()['Buckets']]
s3.put_object(Bucket=bucket, Key='one', Body=b'one', Metadata={'colour': 'green'}, ContentType='text/plain')
got = s3.get_object(Bucket=bucket, Key='one')
assert got['Body'].read() == b'one' and got['Metadata'] == {'colour': 'green'}, got
for algorithm in ('CRC32', 'CRC32C', 'SHA1', 'SHA256'):
    try:
        s3.put_object(Bucket=bucket, Key='checked', Body=io.BytesIO(b'checked'), ChecksumAlgorithm=algorithm)
    except Exception as error:
        if 'crt' not in str(error).lower(): raise
refused('NoSuchKey', s3.get_object, Bucket=bucket, Key='none')
refused('NoSuchBucket', s3.list_objects_v2, Bucket='no-such-bucket')
refused('304', s3.get_object, Bucket=bucket, Key='one', IfNoneMatch=got['ETag'])
body = os.urandom(32 * 1024 * 1024)
config = TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=8 * 1024 * 1024)
s3.upload_fileobj(io.BytesIO(body), bucket, 'big', Config=config)
read = io.BytesIO()
s3.download_fileobj(bucket, 'big', read, Config=config)
assert read.getvalue() == body
s3.copy({'Bucket': bucket, 'Key': 'big'}, bucket, 'big copy', Config=config)
assert s3.head_object(Bucket=bucket, Key='big copy')['ContentLength'] == len(body)
s3.copy_object(Bucket=bucket, Key='two', CopySource={'Bucket': bucket, 'Key': 'one'})
url = s3.generate_presigned_url('get_object', Params={'Bucket': bucket, 'Key': 'two'})
if endpoint.startswith('http:'):
    assert urllib.request.urlopen(url).read() == b'one'
for at in range(25):
    s3.put_object(Bucket=bucket, Key=f'many/{at:02}', Body=b'')
for name in ('list_objects', 'list_objects_v2', 'list_object_versions'):
    pages = list(s3.get_paginator(name).paginate(Bucket=bucket, Prefix='many/', PaginationConfig={'PageSize': 10}))
    keys = [each['Key'] for page in pages for each in page.get('Contents', page.get('Versions', []))]
    assert keys == [f'many/{at:02}' for at in range(25)], keys
assert s3.list_objects_v2(Bucket=bucket, Delimiter='/')['CommonPrefixes'] == [{'Prefix': 'many/'}]
upload = s3.create_multipart_upload(Bucket=bucket, Key='begun')
s3.upload_part(Bucket=bucket, Key='begun', UploadId=upload['UploadId'], PartNumber=1, Body=b'part')
assert len(s3.list_parts(Bucket=bucket, Key='begun', UploadId=upload['UploadId'])['Parts']) == 1
assert len(s3.list_multipart_uploads(Bucket=bucket)['Uploads']) == 1
s3.abort_multipart_upload(Bucket=bucket, Key='begun', UploadId=upload['UploadId'])
s3.get_bucket_versioning(Bucket=bucket)
s3.get_bucket_location(Bucket=bucket)
objects = [{'Key': each['Key']} for each in s3.list_objects_v2(Bucket=bucket)['Contents']]
answer = s3.delete_objects(Bucket=bucket, Delete={'Objects': objects})
assert len(answer['Deleted']) == len(objects) and 'Errors' not in answer, answer
s3.delete_bucket(Bucket=bucket)
print('done with', boto3.__version__)
`;

/** Debian's Python, and another one that the machine may have. Newer clients send checksums in trailers. */
const pythons = [...new Set(['/usr/bin/python3', ...otherPython()])];

function otherPython(): string[] {
  const found = spawnSync('python3', ['-c', 'import boto3, sys; print(sys.executable)'], { encoding: 'utf8' });
  return found.status === 0 ? [found.stdout.trim()] : [];
}

describe('boto3', () => {
  const title = boto3.every((path) => existsSync(path))
    ? 'does what its users do'
    : 'does what its users do (skipped: python3-boto3 is missing)';
  const tested = boto3.every((path) => existsSync(path)) ? test : test.skip;
  tested.each(['http', 'https'])(
    `${title}, by %s`,
    async (scheme) => {
      const file = join(folder.path, 'boto.py');
      await writeFile(file, script);
      const url = scheme === 'http' ? s3.url : secure.url;
      for (const [at, python] of pythons.entries()) {
        const { stdout } = await run(python, [file, url, `boto-${scheme}-${at}`], {
          AWS_CA_BUNDLE: ca,
        });
        expect(stdout).toMatch(/^done with 1\./);
      }
    },
    timeoutMs * 2,
  );
});
