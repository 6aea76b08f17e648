// `tidegate join TOKEN`: makes this host a machine of an installation. The private key is created here and stays here.
import { mkdir } from 'node:fs/promises';
import { graphql } from '../../generated/cli/index.ts';
import { acceptCredential, authorityOfToken } from '../../platform/machines/accept-credential.ts';
import { machineFilePath, writeMachineFile } from '../../platform/machines/machine-file.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { CommandFailure, exitCodes, UsageError } from '../cli/failures.ts';
import { GraphClient } from '../cli/graph-client.ts';
import { commonOptions, connectionOptions, defaultUrl } from '../cli/remote-verb.ts';
import { localVerb } from '../cli/verb.ts';
import { credentialOptions, endpointCa, endpointOf } from './machines/options.ts';

const document = graphql(`
  mutation Join($input: MachineJoinInput!) {
    machineJoin(input: $input) {
      machineId name role certificate authority token expiresAt userErrors { code message field }
    }
  }
`);

/** The token may be sent again with the same key, if the answer was lost. */
const tries = 3;

export const join = localVerb({
  summary: 'Make this host a machine of an installation, with a token from "tidegate machines create".',
  takes: ['[TOKEN]'] as const,
  options: { ...credentialOptions, url: connectionOptions.url, json: commonOptions.json },
  async run({ names, options, stdout, signal, env }) {
    const joinToken = names[0] ?? env.TIDEGATE_JOIN_TOKEN ?? '';
    const authoritySha256 = authorityOfToken(joinToken);
    if (authoritySha256 === undefined)
      throw new UsageError(
        'TOKEN is not a join token: give one from "tidegate machines create", or set TIDEGATE_JOIN_TOKEN',
      );
    const url = endpointOf(options.url ?? env.TIDEGATE_URL ?? defaultUrl);
    const ca = await endpointCa(options['endpoint-ca']);
    const { publicKey, privateKey } = await newMachineKeys();
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const client = new GraphClient({ url, credential: undefined, signal, ...(ca === undefined ? {} : { ca }) });
    try {
      const joined = await joinAt(client, { joinToken, publicKey });
      const { machineId, name, role, certificate, authority, token, expiresAt } = joined;
      if (!machineId || !name || !role || !certificate || !authority || !token || !expiresAt)
        throw new CommandFailure(`${url.origin} gave no credentials`);
      acceptAs({ certificate, authority }, privateKey, authoritySha256);
      await writeMachineFile(options.folder, {
        ...{ id: machineId, name, role, endpoint: url.href, ...(ca === undefined ? {} : { endpointCa: ca }) },
        ...{ token, expiresAt, certificate, key: privateKey, authority },
      });
      const file = machineFilePath(options.folder, role);
      stdout.write(options.json ? `${JSON.stringify({ id: machineId, name, role, expiresAt, file })}\n` : `${file}\n`);
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
