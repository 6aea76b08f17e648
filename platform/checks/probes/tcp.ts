// A TCP connection must be accepted; optionally a text is sent and a reply expected.
import type { Probe } from '../probe.ts';
import { connection, type Where, whereSchema } from './connection.ts';

export interface TcpParameters extends Where {
  /** Sent after connecting. */
  readonly send?: string;
  /** A text that the first 16 KiB of the reply must contain. */
  readonly expect?: string;
}

const mostBytes = 16_384;

/** JSON Schema properties of the sent text and of the expected reply. */
export const talkSchema = {
  send: { type: 'string', maxLength: 4096 },
  expect: { type: 'string', minLength: 1, maxLength: 1024 },
} as const;

export const tcpProbe: Probe<TcpParameters, never> = {
  name: 'tcp',
  parameters: {
    type: 'object',
    required: ['host', 'port'],
    additionalProperties: false,
    properties: { ...whereSchema, ...talkSchema },
  },
  check: (parameters, run) =>
    connection(parameters, run, (socket, end) => {
      const { send, expect } = parameters;
      socket.once('connect', () => {
        if (send !== undefined) socket.write(send);
        if (expect === undefined) end(null);
      });
      if (expect === undefined) return;
      const wanted = Buffer.from(expect);
      let seen = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        seen = Buffer.concat([seen, bytes]);
        if (seen.includes(wanted)) end(null);
        else if (seen.length > mostBytes) end('its answer does not have the expected text');
      });
      socket.once('end', () => end('it closed the connection without the expected text'));
    }),
};
