// Issues machines directly from the database and writes their credentials: all of them or, after a refusal, none.
import { acceptCredential } from '../platform/machines/accept-credential.ts';
import { machineFilePath, writeMachineFile } from '../platform/machines/machine-file.ts';
import { newMachineKeys } from '../platform/machines/machine-keys.ts';
import type { FirstStart, IssueWish } from '../platform/process/subgraph-row.ts';
import { encodeId } from '../platform/values/ids.ts';

type NewMachine = Omit<IssueWish, 'publicKey'> & { readonly folder: string };

/** Returns the paths of the files. `ca`: PEM, of the endpoint, if the system does not trust it. */
export async function issueMachines(
  firstStart: FirstStart,
  wished: readonly NewMachine[],
  { endpoint, ca }: { readonly endpoint: string; readonly ca: string | undefined },
): Promise<readonly string[]> {
  const machines = await Promise.all(wished.map(async (each) => ({ ...each, ...(await newMachineKeys()) })));
  const issued = await firstStart.issueMachines(
    machines.map(({ folder: _folder, privateKey: _privateKey, ...wish }) => wish),
  );
  const paths: string[] = [];
  for (const [index, { name, role, folder, privateKey }] of machines.entries()) {
    const made = issued[index];
    if (made === undefined) throw new Error(`no credential was issued for ${name}`);
    acceptCredential(made.credential, privateKey);
    await writeMachineFile(folder, {
      ...{ id: encodeId('Machine', made.id), name, role, endpoint },
      ...(ca === undefined ? {} : { endpointCa: ca }),
      ...{ ...made.credential, expiresAt: made.credential.expiresAt.toISOString(), key: privateKey },
    });
    paths.push(machineFilePath(folder, role));
  }
  return paths;
}
