// Shared code of the probes over TCP: one connection, allowed by the egress policy, that ends with a result and a reset.
import type { Socket } from 'node:net';
import { allowedAddress, dial, EgressRefusedError } from '../../net/egress.ts';
import { resetSocket } from '../../net/reset-socket.ts';
import { type CheckReading, isDown, isUp, type ProbeRun } from '../probe.ts';

export interface Where {
  readonly host: string;
  readonly port: number;
}

/** JSON Schema properties of `Where`. */
export const whereSchema = {
  host: { type: 'string', minLength: 1, maxLength: 253, description: 'Address or host name.' },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
} as const;

/** Ends the check: null is up, a text names the failure. Only the first call counts. */
export type End = (fault: string | null) => void;

/** Dials and passes the socket, not yet connected, to `use`. */
export function connection(
  where: Where,
  run: ProbeRun,
  use: (socket: Socket, end: End) => void,
): Promise<CheckReading> {
  let address: string | Promise<string>;
  try {
    address = allowedAddress(run.egress, where.host, where.port);
  } catch (error) {
    return Promise.resolve(isDown(reasonOf(error)));
  }
  if (typeof address === 'string') return connected(address, where.port, run, use);
  return address.then(
    (resolved) => connected(resolved, where.port, run, use),
    (error: unknown) => isDown(reasonOf(error)),
  );
}

function connected(
  address: string,
  port: number,
  run: ProbeRun,
  use: (socket: Socket, end: End) => void,
): Promise<CheckReading> {
  return new Promise((resolve) => {
    const socket = dial(address, port);
    const end: End = (fault) => {
      resetSocket(socket);
      resolve(fault === null ? isUp : isDown(fault));
    };
    run.onCancel(() => end(`no answer within ${run.timeoutMs} ms`));
    socket.on('error', (error) => end(reasonOf(error)));
    use(socket, end);
  });
}

export function reasonOf(error: unknown): string {
  if (error instanceof EgressRefusedError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ECONNRESET') return 'the connection was reset';
  return message;
}
