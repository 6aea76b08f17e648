// `tidegate join TOKEN` for a host of a cluster: its data folder gets the host file, and `tidegate ha agent` does the rest.
import { join, resolve } from 'node:path';
import { dataVersion } from '../../../compose/places.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { pathExists } from '../../../embedded/find-program.ts';
import { askerAt, newAct } from '../../../ha/acts.ts';
import { canonicalAddress, refuseBadName, refuseBadSite, refuseOldMariadb } from '../../../ha/host/begin.ts';
import { hasHostFile, hostFilePath, writeHostFile } from '../../../ha/host/host-file.ts';
import { joinCluster } from '../../../ha/host/join-client.ts';
import { forgetJoining, joiningKeys } from '../../../ha/host/joining.ts';
import { hashesOf, readKeyFiles, writeKeyFiles } from '../../../ha/host/key-files.ts';
import { noteAct } from '../../../ha/host/noted-acts.ts';
import { CommandFailure, exitCodes, UsageError } from '../../failures.ts';
import { flag, text, type Values } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import type { Call } from '../../verb.ts';
import { dataOption, placeOptions } from './cluster-verb.ts';
import { HostFiles, unitsOption } from './host-files.ts';
import { refusalOf, refuseWithoutRoot } from './init.ts';
import { installPackages } from './packages.ts';

export const hostOptions = {
  ...placeOptions,
  witness: flag('For a cluster: this host has no data, and only votes.'),
  asynchronous: flag(
    'For a cluster: no write waits for this host, and it is never promoted automatically. Use it for a distant host.',
  ),
  data: dataOption,
  keys: text('FOLDER', 'For a host of a cluster: folder for the key files of the first host; default: keys in --data.'),
  units: unitsOption,
  'no-install': flag('Install no system packages.'),
} as const;

type Asked = Pick<Call, 'stdout' | 'signal' | 'env' | 'output'> & {
  readonly options: Values<typeof hostOptions> & { readonly url: string | undefined; readonly json: boolean };
};

export async function joinAsHost(token: string, { options, stdout, signal, env, output }: Asked): Promise<void> {
  const { name, witness, asynchronous, site, url } = options;
  const address = options.address === undefined ? undefined : canonicalAddress(options.address);
  if (name === undefined || address === undefined || url === undefined)
    throw new UsageError(
      'a host joins a cluster with --name, --address and the --url that "tidegate ha init" has printed',
    );
  if (witness && asynchronous) throw new UsageError('--asynchronous: a witness has no data');
  const first = URL.parse(url);
  if (first?.protocol !== 'https:') throw new UsageError(`--url: '${url}' is not an https URL`);
  refuseWithoutRoot();
  const dataPath = resolve(options.data ?? '.tidegate');
  if (await hasHostFile(dataPath))
    throw new CommandFailure(`ALREADY: ${dataPath} is of a cluster already: "tidegate ha status" shows it`);
  // It would be replaced by a copy.
  if (await pathExists(join(dataPath, 'mariadb')))
    throw new CommandFailure(`NOT_EMPTY: ${dataPath} has a database: name a new or empty folder with --data`);
  if (!options['no-install']) await installPackages(signal);
  try {
    refuseBadName(name, address);
    refuseBadSite(site);
    if (!witness) await refuseOldMariadb();
    // Created before the token is used up.
    await (await openDataFolder(dataPath, { version: dataVersion })).close();
    const kind = witness ? 'witness' : 'data';
    const { data, units, keys } = options;
    const files = await HostFiles.plan({ data, units, keys, name, address, kind });
    const { keyFolder } = files;
    const there = witness ? {} : hashesOf(await readKeyFiles(keyFolder));
    const asked = { token, name, address, kind, site, asynchronous, keyFiles: there } as const;
    const { own, exchange, serving } = await joiningKeys(dataPath, token);
    const joined = joinCluster(first, asked, own, exchange, witness ? undefined : serving);
    const { file, keyFiles } = await joined.catch((error: unknown) => {
      if (isConnectionError(error))
        throw new CommandFailure(
          `${first.host} can't be reached (${String((error as Error).message)}): "tidegate ha agent" must run there`,
          exitCodes.unreachable,
        );
      throw error;
    });
    const brought = Object.keys(keyFiles);
    if (brought.length > 0) await writeKeyFiles(keyFolder, keyFiles);
    await files.giveKeys();
    await files.write(file.accounts.applicationPassword);
    await noteAct(dataPath, newAct(askerAt(name, env), 'haJoin', { address, kind }));
    // Last, because afterwards this host belongs to the cluster, and can't join again.
    await writeHostFile(dataPath, file);
    await forgetJoining(dataPath);
    if (options.json)
      await printerOf({ stdout, env, output }).ndjson({
        ...{ name, kind, file: hostFilePath(dataPath), keys: brought },
        ...files.paths,
      });
    else
      stdout.write(
        `${name} has joined${brought.length === 0 ? '' : `, with the keys of the first host in ${keyFolder}`}. As root, and from then on always:\n${files.lines().join('\n')}\n`,
      );
  } catch (error) {
    throw refusalOf(error);
  }
}

function isConnectionError(error: unknown): boolean {
  return ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND'].includes(
    String((error as NodeJS.ErrnoException).code),
  );
}
