// DNS: a name server answers a query with the expected code and records. Over UDP, or over TCP if a parameter requests it.
import { randomInt } from 'node:crypto';
import {
  decodeAddress,
  decodeMessage,
  decodeTarget,
  decodeText,
  encodeQuery,
  type Message,
  rcodes,
} from '../../../../../dns/wire/message.ts';
import { decodeName } from '../../../../../dns/wire/name.ts';
import { type CheckReading, isDown, isUp, type ProbeRun } from '../../../../../platform/checks/probe.ts';
import { connection, reasonOf } from '../../../../../platform/checks/probes/connection.ts';
import { sendDatagram } from '../../../../../platform/net/datagram.ts';
import type { Address } from '../../../../../platform/net/origin.ts';
import { checkTypes, questionTypes } from '../../../spec/check-types.ts';
import type { CheckPlugin } from './plugin.ts';

interface DnsParameters {
  readonly name: string;
  /** Default A. */
  readonly type?: keyof typeof questionTypes;
  /** Each must be among the records of the type: addresses, texts, names in lower case without the final dot. Not for SOA. */
  readonly expect?: readonly string[];
  /** Default NOERROR. */
  readonly expectedCode?: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  /** Default false, for an authoritative server. */
  readonly recursionDesired?: boolean;
  /** Default UDP. */
  readonly transport?: 'UDP' | 'TCP';
}

const recursionDesiredBit = 0x01;

export const dnsPlugin: CheckPlugin<DnsParameters> = {
  ...checkTypes.DNS,
  check: ({ address, port, parameters }, run) => {
    const id = randomInt(0x10000);
    const query = encodeQuery(id, { name: parameters.name, type: questionTypes[parameters.type ?? 'A'] });
    if (parameters.recursionDesired === true) query[2] = (query[2] ?? 0) | recursionDesiredBit;
    const faultIn = (bytes: Buffer) => faultOf(bytes, id, parameters);
    const where = { host: address, port };
    return parameters.transport === 'TCP' ? overTcp(where, query, faultIn, run) : overUdp(where, query, faultIn, run);
  },
};

/** Undefined if it is no answer to the question. */
type FaultOf = (answer: Buffer) => string | null | undefined;

function overUdp(where: Address, query: Buffer, faultIn: FaultOf, run: ProbeRun): Promise<CheckReading<never>> {
  return new Promise((resolve) => {
    const end = (fault: string | null) => {
      close();
      resolve(fault === null ? isUp : isDown(fault));
    };
    const close = sendDatagram(run.egress, where, query, {
      take: (datagram) => {
        const fault = faultIn(datagram);
        if (fault !== undefined) end(fault);
      },
      failed: (error) => end(reasonOf(error)),
    });
    run.onCancel(() => end(`no answer within ${run.timeoutMs} ms`));
  });
}

/** RFC 7766 section 8: two bytes of length before each message. */
function overTcp(where: Address, query: Buffer, faultIn: FaultOf, run: ProbeRun): Promise<CheckReading<never>> {
  return connection(where, run, (socket, end) => {
    socket.once('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    let got = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      got = Buffer.concat([got, bytes]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const fault = faultIn(got.subarray(2, 2 + got.readUInt16BE(0)));
      end(fault === undefined ? 'it answered another question' : fault);
    });
    socket.once('end', () => end('it closed the connection without an answer'));
  });
}

function faultOf(bytes: Buffer, id: number, parameters: DnsParameters): string | null | undefined {
  let message: Message;
  try {
    message = decodeMessage(bytes);
    if (!message.isResponse || message.id !== id) return undefined;
    const { expectedCode = 'NOERROR', expect = [], type = 'A' } = parameters;
    if (message.rcode !== rcodes[expectedCode]) return `it answered with ${codeName(message.rcode)}`;
    const texts = recordsOf(message, questionTypes[type], bytes);
    const missing = expect.find((each) => !texts.includes(textOf(each, type)));
    if (missing === undefined) return null;
    const cut = message.isTruncated ? ' (its answer was truncated: TCP may have it)' : '';
    return `its answer lacks ${JSON.stringify(missing)}${cut}`;
  } catch (error) {
    return `its answer is not readable: ${reasonOf(error)}`;
  }
}

function recordsOf(message: Message, type: number, bytes: Buffer): string[] {
  return message.answers
    .filter((record) => record.type === type)
    .flatMap((record) => {
      if (type === questionTypes.A || type === questionTypes.AAAA) return [decodeAddress(record)];
      if (type === questionTypes.TXT) return [decodeText(record)];
      if (type === questionTypes.SOA) return [];
      // Its data is a copy without pointers into the message.
      if (type === questionTypes.CNAME) return [decodeTarget(record)];
      return [decodeName(bytes, record.data.byteOffset - bytes.byteOffset).name];
    });
}

function textOf(expected: string, type: keyof typeof questionTypes): string {
  return type === 'TXT' ? expected : expected.toLowerCase().replace(/(?<=.)\.$/, '');
}

function codeName(code: number): string {
  return Object.entries(rcodes).find(([, value]) => value === code)?.[0] ?? `code ${code}`;
}
