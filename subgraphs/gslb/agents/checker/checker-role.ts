// Assembles the role checker: from settings and credentials of the machine to a running checker.
import { access, constants } from 'node:fs/promises';
import { Gauge, type Registry } from 'prom-client';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import { resolverOf } from '../../../../platform/net/resolve-name.ts';
import type { SettingsOf } from '../../../../platform/process/config.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import type { ProcessContext } from '../../../../platform/process/subgraph-row.ts';
import { checkerRole } from '../../wire/checker-wire.ts';
import { Checker } from './checker.ts';
import { type checkerSettings, readProgram } from './checker-settings.ts';
import { loadPlugins } from './plugins/own-plugins.ts';
import { standardPlugins } from './plugins/standard-plugins.ts';

type Settings = SettingsOf<typeof checkerSettings>;

/** Version of the facts that it reports. */
const version = '1';

/** Throws ConfigError. */
export async function createCheckerRole(context: ProcessContext, settings: Settings): Promise<LifecycleComponent> {
  const { log, health, registry, egress } = context;
  const urls = settings['checker.controlUrls'];
  if (urls.length === 0)
    throw fault('checker.controlUrls', 'it is not set', 'give the URLs of the processes with the role gslb');
  const vantagePoint = settings['checker.vantagePoint'];
  if (vantagePoint === undefined)
    throw fault('checker.vantagePoint', 'it is not set', 'give the name of a vantage point (gslbVantagePointCreate)');
  const tls = await context.tlsOf(checkerRole);
  if (tls === undefined)
    throw fault(
      'internal.machineFolder',
      'a checker connects by mutual TLS only, and this process has no certificate for it',
      'run "tidegate join" with a token for the role checker, and set internal.machineFolder',
    );
  const programs = new Map<string, string>();
  for (const text of settings['checker.execPrograms']) programs.set(...(readProgram(text) ?? ['', '']));
  for (const [name, path] of programs)
    await access(path, constants.X_OK).catch(() => {
      throw fault(
        'checker.execPrograms',
        `${name}: ${path} is not a program that this user may start`,
        'install it, or give its path',
      );
    });
  const folder = settings['checker.pluginFolder'];
  const taken = new Set(standardPlugins.map(({ name }) => name));
  const own = folder === undefined ? [] : await loadPlugins(folder, taken);
  const resolvers = settings['checker.resolvers'];
  const checker = new Checker({
    ...{ vantagePoint, version, urls, tls, log, registry, egress, programs },
    ...{ plugins: [...standardPlugins, ...own], own },
    resolve: resolverOf(resolvers.length === 0 ? undefined : resolvers),
    fping: settings['checker.fping'],
  });
  return {
    async start() {
      await checker.start();
      health.add('checker', async () => stateOf(checker));
      addMetrics(registry, checker);
    },
    stop: () => checker.stop(),
  };
}

/** A checker that is cut off from the conductor continues to check, so that is no fault of this process. */
function stateOf({ targetCount, connected, abstains }: Checker): string {
  const link = connected ? 'connected' : 'not connected to the conductor';
  return `${targetCount} targets, ${link}${abstains === null ? '' : `, abstains: ${abstains}`}`;
}

function addMetrics(registry: Registry, checker: Checker): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name: `tidegate_checker_${name}`, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  gauge('connected', '1 while this checker is connected to the conductor', () => Number(checker.connected));
  gauge('abstains', '1 while this checker abstains', () => Number(checker.abstains !== null));
  gauge('dropped', 'Past changes that were dropped for want of room since the start', () => checker.dropped);
}

function fault(setting: string, wrong: string, advice: string): ConfigError {
  return new ConfigError([{ settings: [setting], wrong, advice }]);
}
