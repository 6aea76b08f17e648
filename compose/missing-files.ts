// Files and folders that the roles of the settings need, and that are missing or can't be read. They are looked at together before a process
// connects to anything: otherwise each would end a start of its own.
import { accessSync, constants, statSync } from 'node:fs';
import { type ConfigFault, unusableFile } from '../platform/errors/config-error.ts';
import { machineFilePath } from '../platform/machines/machine-file.ts';
import { type Config, placeOf, settingsOf } from '../platform/process/config.ts';
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';
import { isMissing } from '../platform/secrets/key-file.ts';
import { type KeyFileName, keyFilePath, noKeyFolder } from '../platform/secrets/key-folder.ts';
import { ownersOf } from './owners.ts';

export function missingFiles(config: Config, rows: readonly SubgraphRow[]): readonly ConfigFault[] {
  return [...certificateFaults(config, rows), ...keyFaults(config, rows), ...machineFaults(config, rows)];
}

/** The key files of these roles, by docs/operating.md. */
export function keyFilesOf(config: Config, rows: readonly SubgraphRow[]): readonly KeyFileName[] {
  const has = ({ name }: { readonly name: string }) => config.roles.includes(name);
  const served = rows.filter(has);
  return [
    ...new Set<KeyFileName>([
      ...(served.length > 0 ? (['public', 'subgraphs'] as const) : []),
      ...served.flatMap((row) => row.keyFiles?.(settingsOf(row, config)) ?? []),
      ...rows.flatMap(({ roles = [] }) => roles.filter(has)).flatMap(({ keyFiles = [] }) => keyFiles),
      ...(config.roles.includes('gateway') && !config['serve.quiet'] ? (['gateway'] as const) : []),
      ...(config.roles.includes('worker') ? (['public', 'audit', 'sealing'] as const) : []),
    ]),
  ];
}

/** The roles in which this process is a machine, if the settings name a folder of machines. */
export function machineRolesOf(config: Config, rows: readonly SubgraphRow[]): readonly string[] {
  const values = config as Readonly<Record<string, unknown>>;
  const has = ({ name }: { readonly name: string }) => config.roles.includes(name);
  const isServed = ({ name, linkPorts = [] }: SubgraphRow) =>
    placeOf(name, config).port !== undefined || linkPorts.some((setting) => values[setting] !== undefined);
  const isElsewhere = ({ name }: SubgraphRow) => placeOf(name, config).urls !== undefined;
  const isGateway =
    config.roles.includes('gateway') && (rows.some(isElsewhere) || config['internal.graphPort'] !== undefined);
  return [
    ...(isGateway ? ['gateway'] : []),
    ...rows.filter((row) => has(row) && isServed(row)).map(({ name }) => name),
    ...rows.flatMap(({ roles = [] }) => roles.filter(has)).map(({ name }) => name),
  ];
}

function certificateFaults(config: Config, rows: readonly SubgraphRow[]): ConfigFault[] {
  const settings = [
    ...(config.roles.includes('gateway') ? (['listen.tls.certFile', 'listen.tls.keyFile'] as const) : []),
    ...(['internal.tls.certFile', 'internal.tls.keyFile', 'internal.tls.caFile'] as const),
    ...(ownersOf(config.roles, rows).length > 0 ? (['database.caFile'] as const) : []),
  ];
  return settings.flatMap((setting) => {
    const path = config[setting];
    const refusal = path === undefined ? undefined : refusalOf(path, constants.R_OK);
    return path === undefined || refusal === undefined ? [] : [unusableFile([setting], path, refusal)];
  });
}

function keyFaults(config: Config, rows: readonly SubgraphRow[]): ConfigFault[] {
  const { 'keys.folder': folder, 'keys.sealingFile': sealingFile } = config;
  const names = keyFilesOf(config, rows);
  const isApart = (name: KeyFileName) => name === 'sealing' && sealingFile !== undefined;
  const apart = names.some(isApart) && sealingFile !== undefined ? fileFaults('keys.sealingFile', sealingFile) : [];
  const inFolder = names.filter((name) => !isApart(name));
  if (inFolder.length === 0) return apart;
  if (folder === undefined) return [...apart, noKeyFolder];
  const found = folderFaults({
    ...{ setting: 'keys.folder', folder, rights: constants.X_OK },
    files: inFolder.map((name) => ({
      name: `${name}.keys`,
      path: keyFilePath(folder, name),
      isPublic: name === 'public',
    })),
    advice: 'create them once with "tidegate keys create FOLDER", and copy those of its roles to each host',
  });
  return [...apart, ...found];
}

function machineFaults(config: Config, rows: readonly SubgraphRow[]): ConfigFault[] {
  const folder = config['internal.machineFolder'];
  const roles = folder === undefined ? [] : machineRolesOf(config, rows);
  if (folder === undefined || roles.length === 0) return [];
  return folderFaults({
    ...{ setting: 'internal.machineFolder', folder },
    // Credentials are renewed in place.
    rights: constants.W_OK | constants.X_OK,
    files: roles.map((role) => ({ name: `${role}.json`, path: machineFilePath(folder, role), isPublic: false })),
    advice:
      'join with a token for each of these roles ("tidegate join"); the first hosts get them from "tidegate machines issue NAME --role ROLE,ROLE"',
  });
}

interface WantedFiles {
  readonly setting: string;
  readonly folder: string;
  /** Of the folder: bits of access(2). */
  readonly rights: number;
  readonly files: readonly { readonly name: string; readonly path: string; readonly isPublic: boolean }[];
  /** For missing files. */
  readonly advice: string;
}

/** One fault for the folder, or for all missing files, and one for each file that is there and can't be used. */
function folderFaults({ setting, folder, rights, files, advice }: WantedFiles): ConfigFault[] {
  const closed = refusalOf(folder, rights);
  if (closed !== undefined && !isMissing(closed))
    return [
      {
        ...unusableFile([setting], folder, closed),
        advice: 'give the folder to the user of this process (chown, chmod 700)',
      },
    ];
  const missing = files.filter(({ path }) => isMissing(refusalOf(path, constants.F_OK)));
  const present = files.filter((file) => !missing.includes(file));
  const names = missing.map(({ name }) => name).join(', ');
  return [
    ...(missing.length === 0
      ? []
      : [{ settings: [setting], wrong: `without ${names}, which these roles need`, given: folder, advice }]),
    ...present.flatMap(({ path, isPublic }) => fileFaults(setting, path, isPublic)),
  ];
}

function fileFaults(setting: string, path: string, isPublic = false): ConfigFault[] {
  const refusal = refusalOf(path, constants.R_OK);
  if (refusal !== undefined) return [unusableFile([setting], path, refusal)];
  if (isPublic || (statSync(path).mode & 0o077) === 0) return [];
  return [{ settings: [setting], wrong: 'others may read the file', given: path, advice: `run chmod 600 ${path}` }];
}

/** Undefined if this process has these rights. */
function refusalOf(path: string, rights: number): unknown {
  try {
    accessSync(path, rights);
    return undefined;
  } catch (error) {
    return error;
  }
}
