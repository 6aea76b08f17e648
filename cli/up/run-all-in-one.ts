// `up` in this process. Runs until it is stopped, or its lab server has ended.

import { type AllInOneOptions, allInOneConfig, startAllInOne } from '../../compose/all-in-one.ts';
import { inheritedLab } from '../../lab/remote-lab.ts';
import { isLoopback } from '../../platform/net/address-block.ts';
import { printableConfig } from '../../platform/process/config.ts';
import { reloadOnHangUp } from '../hang-up.ts';
import { describeFailure } from '../start-failure.ts';
import type { Surroundings } from '../verb.ts';
import { openStartLog } from './start-log.ts';
import type { UpOrder } from './up-order.ts';

export interface AllInOneRun extends Surroundings, UpOrder {
  readonly onlyPrints: boolean;
}

/** Throws CommandFailure for failures that a person can correct. */
export async function runAllInOne(run: AllInOneRun): Promise<void> {
  const { port, host, file, level, dataPath, withLab, labDevices, env, stdout } = run;
  const flags = {
    ...(port === undefined ? {} : { 'listen.port': port }),
    ...(host === undefined ? {} : { 'listen.host': host }),
    ...(level === undefined ? {} : { 'log.level': level }),
  };
  try {
    const readSettings = () => allInOneConfig({ flags, env, ...(file === undefined ? {} : { file }) });
    const config = readSettings();
    if (run.onlyPrints) {
      stdout.write(`data: ${JSON.stringify(dataPath)}\n${printableConfig(config)}`);
      return;
    }
    const kept = inheritedLab(env);
    const signal = kept === undefined ? run.signal : AbortSignal.any([run.signal, kept.gone]);
    const labSource = kept === undefined ? {} : { labSource: kept };
    const given = { config, readSettings, dataPath, withLab, labDevices, signal, stdout, ...labSource };
    await runUntilStopped({
      ...given,
      openLog: (folder) => openStartLog(folder, { config, shows: run.showsLog, stdout }),
      givesLoginCode: stdout.isTTY === true && isLoopback(config['listen.host']),
    });
  } catch (error) {
    if (!run.signal.aborted) throw describeFailure(error);
  }
}

async function runUntilStopped(options: AllInOneOptions): Promise<void> {
  const { signal, stdout } = options;
  const running = await startAllInOne(options);
  reloadOnHangUp(running.process);
  stdout.write(running.summary);
  if (!signal.aborted)
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  stdout.write(
    'Stopping requests, subscriptions, calls and jobs, then the databases. Press Ctrl-C again to stop at once.\n',
  );
  await running.stop();
  stdout.write('Stopped.\n');
}
