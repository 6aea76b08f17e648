// Parses HAProxy's states of servers: `show servers state` (HAProxy 2.6, management guide, section 9.3).
import type { RuntimeSocket } from './runtime-socket.ts';

export interface ServerState {
  readonly backend: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly admin: 'READY' | 'DRAIN' | 'MAINT';
  readonly isUp: boolean;
  /** Its checks are enabled, though they pause during maintenance. */
  readonly isChecked: boolean;
  readonly isPaused: boolean;
  /** Result of its last check. */
  readonly check: 'NONE' | 'FAILED' | 'PASSED';
}

/** Bits of `srv_admin_state`. 0x04 stays set if the configuration file had `disabled`, whatever was changed since. */
const forcedMaintenance = 0x01;
const forcedDrain = 0x08;
/** Bit of `srv_check_state`. */
const checksEnabled = 0x04;
const checksPaused = 0x08;
/** `srv_check_result`: 0 unknown, 1 neutral, 2 failed, 3 passed, 4 passed with a condition. */
const checks: Readonly<Record<string, ServerState['check']>> = { 2: 'FAILED', 3: 'PASSED', 4: 'PASSED' };

/** By backend and name of the server. */
export type ServerStates = ReadonlyMap<string, ReadonlyMap<string, ServerState>>;

export async function readServerStates(runtime: RuntimeSocket): Promise<ServerStates> {
  const states = serverStatesIn(await runtime.ask('show servers state'));
  const byBackend = Map.groupBy(states, ({ backend }) => backend);
  return new Map(
    [...byBackend].map(([backend, servers]) => [backend, new Map(servers.map((each) => [each.name, each]))] as const),
  );
}

function serverStatesIn(text: string): ServerState[] {
  const lines = text.split('\n');
  const head = lines.find((line) => line.startsWith('# '));
  if (head === undefined) throw new Error('HAProxy does not show the states of its servers');
  const columns = new Map(
    head
      .slice(2)
      .split(' ')
      .map((name, at) => [name, at]),
  );
  return lines
    .filter((line) => /^\d+ \S/.test(line))
    .map((line) => {
      const cells = line.split(' ');
      const cell = (name: string) => cells[columns.get(name) ?? -1] ?? '';
      const admin = Number(cell('srv_admin_state'));
      const checkState = Number(cell('srv_check_state'));
      return {
        ...{
          backend: cell('be_name'),
          name: cell('srv_name'),
          address: cell('srv_addr'),
          port: Number(cell('srv_port')),
        },
        weight: Number(cell('srv_uweight')),
        admin: (admin & forcedMaintenance) !== 0 ? 'MAINT' : (admin & forcedDrain) !== 0 ? 'DRAIN' : 'READY',
        isUp: cell('srv_op_state') !== '0',
        isChecked: (checkState & checksEnabled) !== 0,
        isPaused: (checkState & checksPaused) !== 0,
        check: checks[cell('srv_check_result')] ?? 'NONE',
      } as const;
    });
}
