// `tidegate backup create`: copies the database on this host while calls run, and archives its binary log; once, or again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import { fingerprintsOf } from '../../../backup/fingerprint.ts';
import { archiveKeys } from '../../../backup/key-archive.ts';
import { type RunOptions, type RunReport, runBackup } from '../../../backup/run.ts';
import { databaseLocations } from '../../../compose/connections.ts';
import { ConfigError } from '../../../platform/errors/config-error.ts';
import type { Config } from '../../../platform/process/config.ts';
import { keyFilePath, noKeyFolder } from '../../../platform/secrets/key-folder.ts';
import { openKeyring } from '../../../platform/secrets/keyring.ts';
import { CommandFailure, exitCodes, Interruption, SilentFailure, UsageError } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { flag, integer, neededText, several, text, type Values } from '../../option.ts';
import { type Printer, printerOf } from '../../printer.ts';
import { commonOptions, readSecretFile } from '../../remote-verb.ts';
import { withSystem } from '../../system-alone.ts';
import { localVerb, type Output, type Surroundings } from '../../verb.ts';
import { allOwners, asCommand, mebi, objectStoreLine } from './faults.ts';

const hourMs = 3_600_000;
const logEveryMs = 60_000;
/** Of a schedule. A check-in starts the role system. */
const checkInEveryMs = 600_000;
const usualFullHours = 24;
const usualMebiPerSecond = 100;
const mostDays = 36_500;
const leastPassphrase = 12;
const usualRule = 'backup';

const options = {
  to: neededText('FOLDER', 'Folder of all backups of this installation, or s3://BUCKET/PREFIX.'),
  recipient: several('AGE1', 'Public key that the backup is encrypted for; "tidegate backup key" makes one.'),
  config: configOption,
  schedule: flag('Keep running: a full copy at each interval, and the binary log each minute.'),
  every: integer('HOURS', `With --schedule: hours between full copies (${usualFullHours}).`, { least: 1, most: 8_760 }),
  keep: integer('N', 'Delete older backups once N newer ones were verified.', { least: 1, most: 10_000 }),
  'keep-days': integer('DAYS', 'Delete backups only when they are older.', { least: 1, most: mostDays }),
  'mebi-per-second': integer('N', `Most MiB of the database that are read in a second (${usualMebiPerSecond}).`, {
    least: 1,
    most: 100_000,
  }),
  'keys-to': text('FOLDER', 'Also write the key files there, in one file under a passphrase: not to the same place.'),
  'keys-passphrase-file': text('FILE', 'File with the passphrase of the key files.'),
  'check-in': text(
    'RULE',
    `Alert rule of the installation with CHECK_IN_LATE at which each run checks in (${usualRule}).`,
  ),
  'database-user': text('NAME', 'Account at MariaDB with the rights of a backup, in place of that of the settings.'),
  'database-password-file': text('FILE', 'File with the password of that account.'),
  json: commonOptions.json,
} as const;

export const create = localVerb({
  summary: 'Copy the database of this host into a folder, encrypted, while calls run.',
  about: [
    'Run it on a host of the database, because it reads the data folder: of a cluster, best on the standby.',
    'Without --schedule it makes one full copy and archives the binary log since the one before.',
    objectStoreLine,
  ],
  page: 'docs/restore.md',
  goesLast: true,
  takes: [],
  examples: [
    'tidegate backup create --to /backup/tidegate --recipient age1… --config /etc/tidegate/control.yaml',
    'tidegate backup create --to s3://backups/tidegate --recipient age1… --config /etc/tidegate/control.yaml',
    'tidegate backup create --to /backup/tidegate --recipient age1… --schedule --keep 7 --config /etc/tidegate/control.yaml',
  ],
  options,
  alsoNeeds: (given) => (given.has('recipient') ? [] : ['--recipient AGE1…']),
  async run({ options: given, stdout, stderr, env, output, signal }) {
    if ((given['keys-to'] === undefined) !== (given['keys-passphrase-file'] === undefined))
      throw new UsageError('--keys-to and --keys-passphrase-file need each other');
    const printer = printerOf({ stdout, env, output });
    let checkedInAtMs = Number.NEGATIVE_INFINITY;
    const once = async (fullAfterMs: number) => {
      const config = settings(given.config, env);
      const keyFile = await archivedKeys(config, given);
      const report = await runBackup(await runOptions(config, given, { env, fullAfterMs, signal }));
      if (performance.now() - checkedInAtMs >= checkInEveryMs) {
        await checkIn(given, { env, stderr });
        checkedInAtMs = performance.now();
      }
      for (const note of report.notes) stderr.write(`tidegate: ${note}\n`);
      if (given.json) await printer.ndjson({ ...report, keyFile });
      else await print(printer, report, keyFile);
    };
    if (!given.schedule) return unlessCut(stderr, () => asCommand(signal, () => once(0)));
    const fullAfterMs = (given.every ?? usualFullHours) * hourMs;
    for (;;) {
      await asCommand(signal, () => once(fullAfterMs)).catch((error: unknown) => {
        if (signal.aborted || !(error instanceof CommandFailure)) throw error;
        stderr.write(`tidegate: ${new Date().toISOString()} ${error.message}; it is tried again in a minute\n`);
      });
      await sleep(logEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  },
  endsBySignal: true,
});

type Given = Values<typeof options>;

/** A signal is the usual end of --schedule alone. */
async function unlessCut(stderr: Output, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    stderr.write(`tidegate: ${error.message}\n`);
    throw new SilentFailure(exitCodes.interrupted);
  }
}

async function runOptions(
  config: Config,
  given: Given,
  more: Pick<RunOptions, 'env' | 'fullAfterMs' | 'signal'>,
): Promise<RunOptions> {
  const { folder, sealing, apart } = keyPlaces(config);
  const user = given['database-user'];
  const passwordFile = given['database-password-file'];
  const account = {
    ...(user === undefined ? {} : { user, password: '' }),
    ...(passwordFile === undefined ? {} : { password: await readSecretFile(passwordFile) }),
  };
  return {
    locations: databaseLocations(config).map((location) => ({ ...location, ...account })),
    ...{ to: given.to, recipients: given.recipient, keys: await openKeyring(sealing) },
    fingerprints: await fingerprintsOf(folder, apart),
    owners: allOwners(),
    mebiPerSecond: given['mebi-per-second'] ?? usualMebiPerSecond,
    ...{ keep: given.keep, keepDays: given['keep-days'], ...more },
  };
}

/** `apart`: key files outside of the folder. */
function keyPlaces(config: Config): { readonly folder: string; readonly sealing: string; readonly apart: string[] } {
  const { 'keys.folder': folder, 'keys.sealingFile': sealingFile } = config;
  if (folder === undefined) throw new ConfigError([noKeyFolder]);
  return { folder, sealing: sealingFile ?? keyFilePath(folder, 'sealing'), apart: sealingFile ? [sealingFile] : [] };
}

async function archivedKeys(config: Config, given: Given): Promise<string | undefined> {
  const { 'keys-to': to, 'keys-passphrase-file': file } = given;
  if (to === undefined || file === undefined) return undefined;
  const passphrase = await readSecretFile(file);
  if (passphrase.length < leastPassphrase)
    throw new CommandFailure(`${file}: the passphrase has fewer than ${leastPassphrase} characters: give a longer one`);
  const { folder, apart } = keyPlaces(config);
  return archiveKeys({ folder, more: apart, to, passphrase });
}

/** It tells people when backups stop. Without it the backup stands all the same. */
async function checkIn(given: Given, { env, stderr }: Pick<Surroundings, 'env' | 'stderr'>): Promise<void> {
  const rule = given['check-in'] ?? usualRule;
  try {
    if (await withSystem(given.config, env, (firstStart) => firstStart.checkIn(rule))) return;
    stderr.write(
      `tidegate: no alert rule with CHECK_IN_LATE has the name ${rule}, so nobody is told when backups stop: tidegate alert-rules create ${rule} --condition CHECK_IN_LATE\n`,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    stderr.write(`tidegate: the backup stands, but it did not check in at the alert rule ${rule}: ${why}\n`);
  }
}

async function print(printer: Printer, report: RunReport, keyFile: string | undefined): Promise<void> {
  const { made, backup, bytes, pieces, copiedAt, newestWriteAt, deleted } = report;
  if (made !== undefined)
    await printer.line(
      `backup ${made}: ${mebi(bytes)}, newest write ${newestWriteAt ?? 'none'}, copied until ${copiedAt}`,
    );
  if (pieces > 0 || made === undefined) await printer.line(`log of ${backup}: ${pieces} new files`);
  if (keyFile !== undefined) await printer.line(`key files: ${keyFile}`);
  for (const name of deleted) await printer.line(`deleted ${name}`);
}
