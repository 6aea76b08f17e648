// Parsing and output of a backend for the commands, and `--wait` for it.
import type { BackendCredentialsInput, BackendFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { giving, neededText, several, text } from '../../option.ts';
import { type RemoteCall, readSecretFile } from '../../remote-verb.ts';
import { type Commit, patienceOf, type WaitingCall } from '../../wait.ts';

graphql(`
  fragment BackendFields on Backend {
    id name version family ordinal driverName site host port enabled operatingStatus hostKeySha256 certificateSha256
    labels { name value }
    presented { kind sha256 }
    circuit { state reason }
    replayUncertain
    queue { waiting inFlight holder }
    health { checkedAt latencyMs softwareVersion message }
  }
`);

type Backend = BackendFieldsFragment;

const backendDocument = graphql(`
  query BackendShow($id: ID!) { backend(id: $id) { ...BackendFields } }
`);

/** Options of both `create` and `update`. */
export const labelOption = several('NAME=VALUE', 'Label of the backend.', (given) => {
  const equals = given.indexOf('=');
  if (equals < 1) throw new UsageError(`--label takes NAME=VALUE, not '${given}'`);
  return { name: given.slice(0, equals), value: given.slice(equals + 1) };
});

export const credentialOptions = {
  'private-key-file': giving(
    ['credentials.privateKey'],
    text('FILE', 'File with the private key of the account, for SSH or the client certificate.'),
  ),
  'passphrase-file': giving(['credentials.passphrase'], text('FILE', "File with the private key's passphrase.")),
  'backend-password-file': giving(['credentials.password'], text('FILE', 'File with the password of the account.')),
  'api-token-file': giving(['credentials.apiToken'], text('FILE', 'File with an API token of the account.')),
  'client-certificate-file': giving(
    ['credentials.clientCertificate'],
    text('FILE', 'File with the client certificate of the account.'),
  ),
} as const;

const usernameFields = ['credentials.username'];
export const username = giving(usernameFields, text('USER', 'Account on the backend.'));
export const neededUsername = giving(usernameFields, neededText('USER', 'Account on the backend.'));

type CredentialFiles = { readonly [Option in keyof typeof credentialOptions]: string | undefined };

/** Undefined if no file was given. */
export async function readCredentials(
  account: string,
  files: CredentialFiles,
): Promise<BackendCredentialsInput | undefined> {
  const { 'private-key-file': key, 'backend-password-file': password, 'api-token-file': token } = files;
  if (key !== undefined && password !== undefined)
    throw new UsageError('give --private-key-file or --backend-password-file, not both');
  const read = async (file: string | undefined, end = '') =>
    file === undefined ? undefined : `${await readSecretFile(file)}${end}`;
  const given = {
    privateKey: await read(key, '\n'),
    passphrase: await read(files['passphrase-file']),
    password: await read(password),
    apiToken: await read(token),
    clientCertificate: await read(files['client-certificate-file'], '\n'),
  };
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return fields.length === 0 ? undefined : { username: account, ...Object.fromEntries(fields) };
}

/** For verbs with optional credentials. Undefined if none are given. */
export async function givenCredentials(
  options: CredentialFiles & { readonly username: string | undefined },
): Promise<BackendCredentialsInput | undefined> {
  const credentials = await readCredentials(options.username ?? '', options);
  if ((options.username === undefined) !== (credentials === undefined))
    throw new UsageError(
      '--username needs --private-key-file, --backend-password-file or --api-token-file, and they need it',
    );
  return credentials;
}

export async function readBackend({ client }: Pick<RemoteCall, 'client'>, id: string, named = id): Promise<Backend> {
  const { backend } = await client.query(backendDocument, { id });
  if (backend === null) throw new CommandFailure(`there is no backend '${named}'`);
  return backend;
}

interface BackendPayload {
  readonly backend: Backend | null;
  readonly commit: Commit;
}

/** The backend in a mutation's payload. With `--wait`, the backend after a check has found it ONLINE. */
export async function changedBackend(call: WaitingCall, { backend, commit }: BackendPayload): Promise<Backend> {
  if (backend === null) throw new CommandFailure('the server gave no backend');
  const patience = patienceOf(call);
  if (patience === undefined) return backend;
  await patience.untilReplicated(commit);
  return patience.until(
    () => readBackend(call, backend.id, backend.name),
    ({ enabled, operatingStatus }) => !enabled || operatingStatus === 'ONLINE',
    ({ operatingStatus, health }) =>
      `${backend.name} is ${operatingStatus}${health.message ? `: ${health.message}` : ''}`,
  );
}

export async function printBackend(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  backend: Backend,
): Promise<void> {
  if (options.json) return printer.json(backend);
  return printer.pairs([
    ['Name', backend.name],
    ['Id', backend.id],
    ['Family', `${backend.family} ${backend.ordinal}`],
    ['Driver', backend.driverName],
    ['Address', `${backend.host}:${backend.port}`],
    ['Site', backend.site],
    ['Labels', backend.labels.map((label) => `${label.name}=${label.value}`).join(', ')],
    ['Host key', backend.hostKeySha256],
    ['Certificate', backend.certificateSha256],
    ['Not accepted', backend.presented && `${backend.presented.kind} ${backend.presented.sha256}`],
    ['Enabled', backend.enabled ? 'yes' : 'no'],
    ['Operating', backend.operatingStatus],
    ['Software', backend.health.softwareVersion],
    ['Checked', backend.health.checkedAt],
    ['Latency (ms)', backend.health.latencyMs],
    ['Health', backend.health.message],
    ['Circuit', backend.circuit.state],
    ['Circuit reason', backend.circuit.reason],
    ['Replay uncertain', backend.replayUncertain === true ? 'yes: see "tidegate timeline lift"' : null],
    ['Queue', `${backend.queue.waiting} waiting, ${backend.queue.inFlight} in flight`],
    ['Held by', backend.queue.holder],
  ]);
}
