// EXEC: a program from the checker's own settings (checker.execPrograms) exits with 0. The graph chooses a program by name and
// passes plain values, never options.
import { isDown, isUp } from '../../../../../platform/checks/probe.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

interface ExecParameters {
  readonly program: string;
  readonly arguments?: readonly string[];
}

/** The exit code UNKNOWN of monitoring plugins: there is no result. */
const exitUnknown = 3;

export const execPlugin: CheckPlugin<ExecParameters> = {
  ...checkTypes.EXEC,
  async check({ host, address, port, parameters }, run, { programs }) {
    const { exitCode, line } = await programs.run(parameters.program, {
      args: parameters.arguments ?? [],
      environment: {
        TIDEGATE_HOST: host,
        TIDEGATE_ADDRESS: address,
        TIDEGATE_PORT: port === 0 ? '' : String(port),
        TIDEGATE_TIMEOUT_MS: String(run.timeoutMs),
      },
      signal: run.signal,
    });
    if (exitCode === 0) return isUp;
    if (exitCode === exitUnknown) throw new Error(`the program ${parameters.program} could not find out: ${line}`);
    const ended = exitCode === null ? 'was ended by a signal' : `ended with ${exitCode}`;
    return isDown(`the program ${parameters.program} ${ended}${line === '' ? '' : `: ${line}`}`);
  },
};
