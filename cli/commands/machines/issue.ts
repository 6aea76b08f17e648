// `tidegate machines issue NAME`: credentials for the first machines, before an endpoint exists for joining. It needs the database and the key folder
// of the role system.

import { startProcess } from '../../../compose/process.ts';
import { Refusal } from '../../../platform/errors/errors.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { acceptCredential } from '../../../platform/machines/accept-credential.ts';
import { machineFilePath, writeMachineFile } from '../../../platform/machines/machine-file.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { CommandFaults } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { givenRecords, newRecordOptions } from '../../machine-options.ts';
import { neededText } from '../../option.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb } from '../../verb.ts';
import { credentialOptions, endpointCa, endpointOf, role } from './options.ts';

export const issue = localVerb({
  summary: 'Write the credentials of a machine, directly from the database, before there is an endpoint.',
  takes: ['NAME'],
  options: {
    role,
    ...newRecordOptions,
    ...credentialOptions,
    endpoint: neededText('URL', 'Endpoint that the machine will use.'),
    config: configOption,
  },
  async run({ names, options, stdout, env }) {
    const endpoint = endpointOf(options.endpoint, '--endpoint');
    const ca = await endpointCa(options['endpoint-ca']);
    const records = givenRecords(options);
    const { publicKey, privateKey } = await newMachineKeys();
    const config = readSettings(options.config, env);
    const running = await startProcess(
      config,
      createLogger({ level: 'silent', pretty: false, name: config.name }),
    ).catch((error: unknown) => {
      throw describeFailure(error);
    });
    try {
      if (running.access === undefined) throw new Error('the role system gives no access');
      const { id, credential } = await running.access.firstStart.issueMachine({
        ...{ name: names[0], role: options.role, publicKey, records },
      });
      acceptCredential(credential, privateKey);
      await writeMachineFile(options.folder, {
        ...{ id: encodeId('Machine', id), name: names[0], role: options.role, endpoint: endpoint.href },
        ...(ca === undefined ? {} : { endpointCa: ca }),
        ...{ ...credential, expiresAt: credential.expiresAt.toISOString(), key: privateKey },
      });
    } catch (error) {
      if (error instanceof Refusal)
        throw new CommandFaults(error.errors.map(({ code, message }) => `${code}: ${message}`));
      throw error;
    } finally {
      await running.stop();
    }
    stdout.write(`${machineFilePath(options.folder, options.role)}\n`);
  },
});

/** The role system alone, without listening. */
function readSettings(file: string | undefined, env: Parameters<typeof settings>[1]) {
  try {
    const config = settings(file, env, { roles: 'system' });
    return { ...config, 'internal.systemPort': undefined, 'internal.machineFolder': undefined };
  } catch (error) {
    throw describeFailure(error);
  }
}
