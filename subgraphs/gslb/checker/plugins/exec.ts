// EXEC: a program of the checker's own settings (checker.execPrograms) ends with 0. The graph says which by name, and gives it plain
// values, never options.
import { isDown, isUp } from '../../../../platform/checks/probe.ts';
import { type CheckPlugin, parametersSchema } from './plugin.ts';

interface ExecParameters {
  readonly program: string;
  readonly arguments?: readonly string[];
}

/** As monitoring plugins say UNKNOWN: it could not find out. */
const exitUnknown = 3;

export const execPlugin: CheckPlugin<ExecParameters> = {
  name: 'EXEC',
  parameters: parametersSchema(
    {
      program: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,62}$' },
      arguments: {
        type: 'array',
        maxItems: 16,
        // Not an option of the program.
        items: { type: 'string', pattern: '^[^-\\u0000][^\\u0000]*$', maxLength: 255 },
      },
    },
    ['program'],
  ),
  needsPort: false,
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
