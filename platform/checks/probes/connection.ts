// Shared code of the probes over TCP: one connection, allowed by the egress policy, that ends with a result and a reset.
import type { Socket } from 'node:net';
import { dial, EgressDeniedError } from '../../net/dial.ts';
import type { Address } from '../../net/origin.ts';
import { resetSocket } from '../../net/reset-socket.ts';
import { type CheckReading, isDown, isUp, type ProbeRun } from '../probe.ts';

export type Where = Address;

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
): Promise<CheckReading<never>> {
  return new Promise((resolve) => {
    const socket = dial(run.egress, where);
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
  if (error instanceof EgressDeniedError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ECONNRESET') return 'the connection was reset';
  return message;
}
