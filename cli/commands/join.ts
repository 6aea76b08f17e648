// `tidegate join TOKEN`: makes this host a machine of an installation, or a host of a cluster, depending on the token. The private key is created
// here and stays here.
import { mkdir } from 'node:fs/promises';
import { graphql } from '../../generated/cli/index.ts';
import { authorityOfHostToken } from '../../ha/host/join-token.ts';
import { acceptCredential, authorityOfToken } from '../../platform/machines/accept-credential.ts';
import { machineFilePath, writeMachineFile } from '../../platform/machines/machine-file.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { CommandFailure, exitCodes, UsageError } from '../failures.ts';
import { GraphClient } from '../graph-client.ts';
import { text } from '../option.ts';
import { printerOf } from '../printer.ts';
import { commonOptions, connectionOptions, defaultUrl } from '../remote-verb.ts';
import { localVerb } from '../verb.ts';
import { hostOptions, joinAsHost } from './ha/join.ts';
import { credentialOptions, endpointCa, endpointOf, roleWord } from './machines/options.ts';

const document = graphql(`
  mutation Join($input: MachineJoinInput!) {
    machineJoin(input: $input) {
      machineId name machineRole certificate authority token expiresAt userErrors { code message field }
    }
  }
`);

/** If the answer was lost, the token may be sent again with the same key. */
const tries = 3;

export const join = localVerb({
  summary:
    'Make this host a machine of an installation, with a token from "tidegate machines create", or a host of a cluster, with one from "tidegate ha init".',
  takes: ['[TOKEN]'] as const,
  options: {
    folder: text('DIR', credentialOptions.folder.help),
    'endpoint-ca': credentialOptions['endpoint-ca'],
    url: connectionOptions.url,
    ...hostOptions,
    json: commonOptions.json,
  },
  async run({ names, options, stdout, signal, env, output }) {
    const joinToken = names[0] ?? env.TIDEGATE_JOIN_TOKEN ?? '';
    if (authorityOfHostToken(joinToken) !== undefined)
      return joinAsHost(joinToken, { options, stdout, signal, env, output });
    const authoritySha256 = authorityOfToken(joinToken);
    if (authoritySha256 === undefined)
      throw new UsageError(
        'TOKEN is not a join token: give one from "tidegate machines create", or set TIDEGATE_JOIN_TOKEN',
      );
    const url = endpointOf(options.url ?? env.TIDEGATE_URL ?? defaultUrl);
    const { folder } = options;
    if (folder === undefined) throw new UsageError('give with --folder where the credentials are written');
    const ca = await endpointCa(options['endpoint-ca']);
    const { publicKey, privateKey } = await newMachineKeys();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const client = new GraphClient({ url, credential: undefined, signal, ...(ca === undefined ? {} : { ca }) });
    try {
      const joined = await joinAt(client, { joinToken, publicKey });
      const { machineId, name, machineRole, certificate, authority, token, expiresAt } = joined;
      if (!machineId || !name || !machineRole || !certificate || !authority || !token || !expiresAt)
        throw new CommandFailure(`${url.origin} gave no credentials`);
      const role = roleWord(machineRole);
      acceptAs({ certificate, authority }, privateKey, authoritySha256);
      await writeMachineFile(folder, {
        ...{ id: machineId, name, role, endpoint: url.href, ...(ca === undefined ? {} : { endpointCa: ca }) },
        ...{ token, expiresAt, certificate, key: privateKey, authority },
      });
      const file = machineFilePath(folder, role);
      const printer = printerOf({ stdout, env, output });
      await (options.json ? printer.ndjson({ id: machineId, name, role, expiresAt, file }) : printer.line(file));
    } finally {
      await client.close();
    }
  },
});

async function joinAt(client: GraphClient, input: { joinToken: string; publicKey: string }) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await client.mutate(document, input);
    } catch (error) {
      const lost = error instanceof CommandFailure && error.exitCode === exitCodes.unreachable;
      if (!lost || tried === tries) throw error;
    }
  }
}

function acceptAs(...[offered, privateKey, sha256]: Parameters<typeof acceptCredential>): void {
  try {
    acceptCredential(offered, privateKey, sha256);
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  }
}
