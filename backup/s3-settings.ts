// Where an object store is and who asks, from the environment variables and the credentials file that programs for S3 have in common. Secrets are
// never on a command line.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fault, isMissingFile } from './faults.ts';

export interface S3Settings {
  readonly bucket: string;
  /** Without a slash at its ends. Empty: the whole bucket. */
  readonly prefix: string;
  readonly endpoint: URL;
  /** The bucket is in the path, and not in the name of the host. */
  readonly isPathStyle: boolean;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly sessionToken: string | undefined;
  /** PEM of the authorities to trust. Undefined: those of Node.js. */
  readonly ca: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Throws BackupFaults. */
export async function s3Settings(address: string, env: Env): Promise<S3Settings> {
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(address) ?? [];
  const prefix = rest.replace(/\/+$/, '');
  if (bucket === undefined || prefix.split('/').some((each) => each === '.' || each === '..') || prefix.includes('//'))
    return fault(`${address} names no place in an object store: give s3://BUCKET/PREFIX`);
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  const own = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const isPathStyle = own !== undefined || bucket.includes('.');
  const usual = `https://${isPathStyle ? '' : `${bucket}.`}s3.${region}.amazonaws.com`;
  const caFile = env.AWS_CA_BUNDLE;
  return {
    ...{ bucket, prefix, endpoint: endpointOf(own ?? usual), isPathStyle, region },
    ...(await credentialsOf(env)),
    ca: caFile === undefined ? undefined : await readGiven(caFile, 'AWS_CA_BUNDLE'),
  };
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username !== '')
    return fault(`AWS_ENDPOINT_URL: ${text} is no address of an object store: give https://HOST or https://HOST:PORT`);
  return url;
}

type Credentials = Pick<S3Settings, 'accessKeyId' | 'secret' | 'sessionToken'>;

async function credentialsOf(env: Env): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: sessionToken } = env;
  if (accessKeyId && secret) return { accessKeyId, secret, sessionToken };
  const given = env.AWS_SHARED_CREDENTIALS_FILE;
  const path = given ?? join(env.HOME ?? homedir(), '.aws/credentials');
  const text =
    given === undefined
      ? await readFile(path, 'utf8').catch(unlessMissing)
      : await readGiven(path, 'AWS_SHARED_CREDENTIALS_FILE');
  const profile = env.AWS_PROFILE ?? 'default';
  const found = text === undefined ? undefined : inProfile(text, profile);
  return (
    found ??
    fault(
      `no access key for the object store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give ${path} a section [${profile}] with aws_access_key_id and aws_secret_access_key`,
    )
  );
}

function unlessMissing(error: unknown): undefined {
  if (isMissingFile(error)) return undefined;
  throw error;
}

function readGiven(path: string, name: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    fault(`${name}: ${path} can't be read (${error.code}): give a file that this account can read`),
  );
}

/** Of a file with lines `[PROFILE]` and `NAME = VALUE`. */
function inProfile(text: string, profile: string): Credentials | undefined {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n').map((each) => each.trim())) {
    section = /^\[(.*)\]$/.exec(line)?.[1]?.trim() ?? section;
    const [, name = '', value = ''] = /^([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section === profile && name !== '') values.set(name, value);
  }
  const [accessKeyId, secret] = [values.get('aws_access_key_id'), values.get('aws_secret_access_key')];
  if (!accessKeyId || !secret) return undefined;
  return { accessKeyId, secret, sessionToken: values.get('aws_session_token') };
}
