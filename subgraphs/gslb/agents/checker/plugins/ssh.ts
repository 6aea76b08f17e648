// SSH: the server sends its identification (RFC 4253 section 4.2) and begins a key exchange (section 7.1). There is no login.
import type { Socket } from 'node:net';
import { connection, type End } from '../../../../../platform/checks/probes/connection.ts';
import { checkTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

interface SshParameters {
  /** A text in its identification, for example `OpenSSH_9`. */
  readonly expect?: string;
  /** False if the identification is enough. Default: true. */
  readonly keyExchange?: boolean;
}

const identification = 'SSH-2.0-tidegate_check\r\n';
/** Limit of the identification and the lines before it. RFC 4253 does not limit the latter. */
const mostLineBytes = 8_192;
const messageKexInit = 20;
/** RFC 4253 section 6.1. */
const mostPacketBytes = 35_000;

export const sshPlugin: CheckPlugin<SshParameters> = {
  ...checkTypes.SSH,
  check: ({ address, port, parameters }, run) =>
    connection({ host: address, port }, run, (socket, end) => {
      socket.once('connect', () => socket.write(identification));
      listen(socket, parameters, end);
    }),
};

function listen(socket: Socket, { expect, keyExchange = true }: SshParameters, end: End): void {
  let got: Buffer = Buffer.alloc(0);
  let named = false;
  socket.on('data', (bytes: Buffer) => {
    got = Buffer.concat([got, bytes]);
    if (!named) {
      const found = identificationIn(got);
      if (found === undefined) {
        if (got.length > mostLineBytes) end('it does not speak SSH');
        return;
      }
      const { text, rest } = found;
      if (!/^SSH-(2\.0|1\.99)-/.test(text)) return end('it does not speak SSH 2');
      if (expect !== undefined && !text.includes(expect)) return end(`it is ${JSON.stringify(text.slice(0, 120))}`);
      if (!keyExchange) return end(null);
      named = true;
      got = rest;
    }
    const begun = beginsKeyExchange(got);
    if (begun !== undefined) end(begun ? null : 'it does not begin a key exchange');
  });
  socket.once('end', () => end('it closed the connection before its key exchange'));
}

/** The server's line that begins with `SSH-`, and the data after it. */
function identificationIn(got: Buffer): { readonly text: string; readonly rest: Buffer } | undefined {
  for (let at = 0; ; ) {
    const lineEnd = got.indexOf('\n', at);
    if (lineEnd < 0) return undefined;
    const text = got.toString('latin1', at, lineEnd).replace(/\r$/, '');
    if (text.startsWith('SSH-')) return { text, rest: got.subarray(lineEnd + 1) };
    at = lineEnd + 1;
  }
}

/** Undefined while too few bytes have arrived. The first packet is not encrypted: its length, the padding's length, its message. */
function beginsKeyExchange(got: Buffer): boolean | undefined {
  if (got.length < 6) return undefined;
  const length = got.readUInt32BE(0);
  return length <= mostPacketBytes && got[5] === messageKexInit;
}
