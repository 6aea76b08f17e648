// The settings and units that `tidegate ha init` and `join` write on a host.
import { join, resolve } from 'node:path';
import { createFolder, serviceUserIn } from '../../../embedded/data-folder.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { canonicalAddress } from '../../../ha/host/begin.ts';
import {
  agentSettings,
  agentSettingsPath,
  agentUnit,
  agentUnitName,
  passwordPath,
  type SettingsOptions,
  serveSettings,
  serveSettingsPath,
  serveUnit,
  serveUnitName,
} from '../../../ha/host/host-settings.ts';
import { makeServedFolder, writeForServe } from '../../../ha/host/served-file.ts';
import { type PlannedFile, refuseChanged, writeFiles } from '../../../ha/host/written-files.ts';
import { fileExists } from '../../../platform/secrets/key-file.ts';
import { text } from '../../option.ts';

export const unitsOption = text(
  'FOLDER',
  'Where units of systemd are written; default: /etc/systemd/system where systemd runs, else units in --data.',
);

interface HostFilesOptions {
  readonly data: string | undefined;
  readonly units: string | undefined;
  readonly name: string;
  readonly address: string;
  readonly kind: 'data' | 'witness';
  /** Default: `keys` in the data folder. */
  readonly keys: string | undefined;
}

/** Created by `plan`, which refuses before anything is written. */
export class HostFiles {
  readonly #settings: SettingsOptions;
  readonly #units: string;
  readonly #hasSystemd: boolean;

  private constructor(settings: SettingsOptions, units: string, hasSystemd: boolean) {
    this.#settings = settings;
    this.#units = units;
    this.#hasSystemd = hasSystemd;
  }

  /** Throws JoinRefusal, SetupError. */
  static async plan({ data, units, keys, ...host }: HostFilesOptions): Promise<HostFiles> {
    const dataPath = await createFolder(resolve(data ?? '.tidegate'));
    const settings = {
      ...{
        dataPath,
        name: host.name,
        address: canonicalAddress(host.address),
        kind: host.kind,
        user: await serviceUserIn(dataPath),
      },
      keyFolder: keys === undefined ? join(dataPath, 'keys') : resolve(keys),
    };
    const hasSystemd = units === undefined && (await fileExists('/run/systemd/system'));
    const folder = hasSystemd ? '/etc/systemd/system' : resolve(units ?? join(dataPath, 'units'));
    const made = new HostFiles(settings, folder, hasSystemd);
    await refuseChanged(dataPath, made.#files());
    return made;
  }

  get keyFolder(): string {
    return this.#settings.keyFolder;
  }

  /** `applicationPassword`: for MariaDB. */
  async write(applicationPassword: string): Promise<void> {
    const { dataPath, user, kind } = this.#settings;
    if (kind === 'data') {
      await makeServedFolder(dataPath, user);
      await writeForServe(passwordPath(dataPath), `${applicationPassword}\n`, user);
    }
    await writeFiles(dataPath, this.#files());
  }

  /** For a folder that was made here: `tidegate serve` reads the keys as its own user. */
  async giveKeys(): Promise<void> {
    const { keyFolder, dataPath, user } = this.#settings;
    if (user === undefined || keyFolder !== join(dataPath, 'keys') || !(await fileExists(keyFolder))) return;
    const owner = `${user.uid}:${user.gid}`;
    await runProgram('chown', ['--recursive', '--no-dereference', '-P', owner, keyFolder]);
  }

  /** The next commands, with the files that were written. */
  lines(): readonly string[] {
    const { dataPath, kind } = this.#settings;
    const units = kind === 'data' ? `${agentUnitName} ${serveUnitName}` : agentUnitName;
    const serve = kind === 'data' ? [`  bin/tidegate serve --config ${serveSettingsPath(dataPath)}`] : [];
    if (this.#hasSystemd)
      return [
        `  systemctl daemon-reload && systemctl enable --now ${units}`,
        `(the units are in ${this.#units}, and the settings in ${this.#settingsFiles().join(' and ')})`,
      ];
    return [
      `  bin/tidegate ha agent --data ${dataPath}`,
      ...serve,
      `(systemd does not run here, or another folder was named: units are in ${this.#units}; settings in ${this.#settingsFiles().join(' and ')})`,
    ];
  }

  /** For `--json`. */
  get paths(): { readonly settings: string | null; readonly agentSettings: string; readonly units: readonly string[] } {
    const { dataPath, kind } = this.#settings;
    return {
      settings: kind === 'data' ? serveSettingsPath(dataPath) : null,
      agentSettings: agentSettingsPath(dataPath),
      units: this.#files()
        .map(({ path }) => path)
        .filter((path) => path.endsWith('.service')),
    };
  }

  #settingsFiles(): string[] {
    const { settings, agentSettings } = this.paths;
    return settings === null ? [agentSettings] : [settings, agentSettings];
  }

  #files(): PlannedFile[] {
    const settings = this.#settings;
    const { dataPath, kind, user } = settings;
    const unit = (name: string, text: string) => ({ path: join(this.#units, name), text, mode: 0o644 });
    const forServe = user === undefined ? { mode: 0o600 } : { mode: 0o640, owner: { uid: 0, gid: user.gid } };
    return [
      { path: agentSettingsPath(dataPath), text: agentSettings(settings), mode: 0o600 },
      unit(agentUnitName, agentUnit(settings)),
      ...(kind === 'witness'
        ? []
        : [
            { path: serveSettingsPath(dataPath), text: serveSettings(settings), ...forServe },
            unit(serveUnitName, serveUnit(settings)),
          ]),
    ];
  }
}
