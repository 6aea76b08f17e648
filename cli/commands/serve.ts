// `tidegate serve`: runs chosen roles with an external database and Redis.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { SettingsSource } from '../../compose/gateway-role.ts';
import { missingFiles } from '../../compose/missing-files.ts';
import { startProcess } from '../../compose/process.ts';
import { quietSettings } from '../../compose/quiet.ts';
import { noteServed } from '../../ha/served-process.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { createLogger } from '../../platform/log/log.ts';
import { type Config, printableConfig, rolesOf, secretSettings } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { CommandFailure, UsageError } from '../failures.ts';
import { reloadOnHangUp } from '../hang-up.ts';
import { givenSettings, settings } from '../local-options.ts';
import { flag, several, text } from '../option.ts';
import { describeFailure } from '../start-failure.ts';
import { asRootOption, configOption, logLevelOption } from '../start-options.ts';
import { checkout } from '../up/account.ts';
import { localVerb, type Output } from '../verb.ts';

export const serve = localVerb({
  summary: 'Run chosen roles with your own database and Redis.',
  takes: [],
  endsBySignal: true,
  options: {
    roles: text('LIST', `Roles, separated by commas: ${rolesOf(subgraphRows).all.join(', ')} (all).`),
    config: configOption,
    set: several('NAME=VALUE', 'A setting, for example listen.port=4000.', (given) => {
      const equals = given.indexOf('=');
      if (equals < 1) throw new UsageError(`--set takes NAME=VALUE, not '${given}'`);
      const name = given.slice(0, equals);
      if (secretSettings.has(name))
        throw new UsageError(
          `--set ${name} would show it in the list of processes: give ${name}File, or set it in the environment or the settings file`,
        );
      return [name, given.slice(equals + 1)] as const;
    }),
    quiet: flag('Read only, and reach nothing but the database: for drills and maintenance.'),
    'as-root': asRootOption,
    'log-level': logLevelOption,
    'print-config': flag('Print the settings, with secrets hidden, and exit.'),
  },
  async run({ options, stdout, signal, env }) {
    const { roles, config: file, set, 'log-level': level } = options;
    const flags = {
      ...Object.fromEntries(set),
      ...(roles === undefined ? {} : { roles }),
      ...(level === undefined ? {} : { 'log.level': level }),
      ...(options.quiet ? { 'serve.quiet': 'true' } : {}),
    };
    try {
      const read = () => settings(file, env, flags);
      if (options['print-config']) {
        stdout.write(printableConfig(read()));
        return;
      }
      const { config, faults } = givenSettings(file, env, flags);
      if (process.getuid?.() === 0 && !options['as-root']) becomeUser(config);
      const all = [...faults, ...missingFiles(quietSettings(config, subgraphRows), subgraphRows)];
      if (all.length > 0) throw new ConfigError(all);
      await runUntilStopped({ given: config, read }, stdout, signal);
    } catch (error) {
      throw describeFailure(error);
    }
  },
});

/** Throws CommandFailure. */
function becomeUser({ 'serve.user': user }: Config): void {
  if (user === undefined) throw refusedAsRoot();
  if (user === 0) return;
  process.setgroups?.([]);
  process.setgid?.(user);
  process.setuid?.(user);
  try {
    accessSync(join(checkout, 'bin', 'tidegate.ts'), constants.R_OK);
  } catch {
    throw new CommandFailure(
      `serve runs as user ${user}, who can't read ${checkout}: let others pass its parent folders (chmod o+x) and read it ` +
        `(chmod -R o+rX ${checkout}), or move it, for example to /opt; or start with --as-root, and root serves requests`,
    );
  }
}

/** The gateway's address, as processes of this host reach it. */
function localUrl(url: string | undefined): string | undefined {
  return url?.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function refusedAsRoot(): CommandFailure {
  return new CommandFailure(
    'serve does not run as root: start it as a user of its own (under systemd, User= in the unit; in a container, its user), ' +
      'who can read the settings and key files; or name one in serve.user; or start it with --as-root to serve requests as root',
  );
}

async function runUntilStopped(source: SettingsSource, stdout: Output, signal: AbortSignal): Promise<void> {
  const config = source.given;
  const log = createLogger({
    level: config['log.level'],
    pretty: config['log.format'] === 'pretty' || (config['log.format'] === 'auto' && stdout.isTTY === true),
    name: config.name,
  });
  const running = await startProcess(config, log, { settings: source });
  const quietly = config['serve.quiet'] ? { quiet: true } : {};
  log.info({ roles: config.roles, owner: running.owner, url: running.url, ...quietly }, 'ready');
  process.on('SIGUSR2', () => {
    log.info('the connections of clients end: the address moves');
    running.handOver().catch((error: unknown) => log.error({ err: error }, 'the connections did not end'));
  });
  reloadOnHangUp(running);
  const processFile = config['ha.processFile'];
  if (processFile !== undefined && !config['serve.quiet'])
    await noteServed(processFile, config['listen.proxyProtocol'] ? undefined : localUrl(running.url));
  if (!signal.aborted)
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  log.info('draining');
  await running.stop();
}
